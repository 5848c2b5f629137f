import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder of one test's own, and how to remove it with everything in it. */
export interface TempFolder {
  readonly path: string;
  remove(): void;
}

/** Makes an empty folder under the system's temporary folder. */
export function tempFolder(name = 'test'): TempFolder {
  const path = mkdtempSync(join(tmpdir(), `taximeter-${name}-`));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
