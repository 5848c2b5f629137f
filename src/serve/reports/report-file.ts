import { mkdir, open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { type Outcome, unsent } from './outcome.ts';

/**
 * Writes a report into the folder of reports.
 *
 * Gives  null when it is there. A file of the same name is replaced: the same report again.
 * Holds  under its name a report is whole, and on the disk.
 */
export async function writeReport(folder: string, name: string, text: string): Promise<Outcome> {
  const path = join(folder, name);
  try {
    await mkdir(folder, { recursive: true });
    const file = await open(`${path}.part`, 'w', 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(`${path}.part`, path);
    await syncFolder(folder);
    return null;
  } catch (cause) {
    return unsent(`${name} cannot be written: ${(cause as NodeJS.ErrnoException).code ?? 'unknown'}`);
  }
}

/** A file is only sure to be found under its new name after a crash when its folder is on the disk too. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
