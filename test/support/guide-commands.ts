import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from './data.ts';

/** A command as a guide shows it, and what the guide says that it prints, where it does. */
export interface GuideCommand {
  readonly line: string;
  /** Of the shell, without quotes. */
  readonly words: readonly string[];
  /** Lines of the block of text that follows. */
  readonly printed: readonly string[];
}

/** Reads the commands of a guide, in their order: indented lines that begin with `taximeter`, `npx taximeter` or `curl`. */
export function guideCommands(page: string): GuideCommand[] {
  const text = readFileSync(join(repository, 'docs/guides', page), 'utf8').replace(/\\\n\s*/g, '');
  const found = text.matchAll(/^ {4}((?:npx )?(?:taximeter|curl) .*)\n(?:\n```text\n([\s\S]*?)^```)?/gm);
  return [...found].map(([, line = '', printed = '']) => ({
    line,
    words: wordsOf(line.replace(/^npx /, '')),
    printed: printed.split('\n').filter((each) => each !== ''),
  }));
}

/** The documents that a guide shows, in their order. */
export function guideDocuments(page: string): string[] {
  const text = readFileSync(join(repository, 'docs/guides', page), 'utf8');
  const blocks = [...text.matchAll(/^```yaml\n([\s\S]*?)^```/gm)].map(([, yaml]) => yaml!);
  return blocks.filter((yaml) => yaml.includes('apiVersion: taximeter/'));
}

function wordsOf(line: string): string[] {
  return [...line.matchAll(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g)].map(([word]) =>
    word.replace(/'([^']*)'|"([^"]*)"/g, '$1$2'),
  );
}

/** A request as `curl -s URL -H HEADER -d BODY` makes it. */
export function curlRequest(words: readonly string[]): Request {
  const after = (flag: string) => words.flatMap((word, place) => (words[place - 1] === flag ? [word] : []));
  const url = words.find((word) => /^(https?:\/\/)?(localhost|127\.0\.0\.1):\d+\//.test(word))!;
  const headers = after('-H').map((header) => header.split(/:\s*/, 2) as [string, string]);
  const [body] = after('-d');
  const path = url.replace(/^(https?:\/\/)?[^/]+/, '');
  return new Request(`http://localhost${path}`, body === undefined ? { headers } : { method: 'POST', headers, body });
}
