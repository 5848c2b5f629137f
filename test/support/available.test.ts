import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { available, describeWith, inPath } from './available.ts';
import { repository, sharedData } from './data.ts';

afterEach(() => vi.unstubAllEnvs());

describe('what tests need', () => {
  it.each([
    { ci: '', found: 'path', gives: { found: 'path' } },
    { ci: 'true', found: 'path', gives: { found: 'path' } },
    { ci: '', found: undefined, gives: { reason: 'no such thing' } },
  ])('CI=$ci, found $found gives $gives', ({ ci, found, gives }) => {
    vi.stubEnv('CI', ci);
    expect(available(found, 'no such thing')).toEqual(gives);
  });

  it('fails in CI when it is missing', () => {
    vi.stubEnv('CI', 'true');
    expect(() => available(undefined, 'no such thing')).toThrow('CI must have');
    expect(() => sharedData('no-such-folder')).toThrow('no-such-folder');
  });

  it('is found in PATH', () => {
    expect(inPath('sh')).toMatch(/\/sh$/);
    expect(inPath('no-such-program-anywhere')).toBeUndefined();
  });

  it('knows the repository', () => {
    expect(readFileSync(`${repository}package.json`, 'utf8')).toContain('"name": "taximeter"');
  });
});

describeWith(sharedData('boutique/model.yaml'), 'shared data', (path) => {
  it('is readable', () => {
    expect(readFileSync(path, 'utf8')).toContain('kind: CostModel');
  });
});
