import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Problem } from '../model/index.ts';
import { fileFailure } from './file-failure.ts';
import type { BillFile } from './table.ts';

/** A data file of an export, and what its manifest says of it. */
export interface ExportPart extends BillFile {
  /** Name with what the manifest calls the dataset, for rules that go by it. */
  readonly label: string;
  readonly rows?: number;
}

interface Entry {
  /** Where it lies in the provider's bucket. */
  readonly key: string;
  readonly sizeBytes?: number | undefined;
  readonly rows?: number | undefined;
}

interface Manifest {
  readonly name: string;
  /** What the provider calls the dataset, such as AmortizedCost. */
  readonly dataset: string;
  readonly entries: readonly Entry[];
}

const LARGEST_MANIFEST = 64 * 1024 * 1024;

/**
 * Holds the files of an export against the manifests among them.
 *
 * Gives  the data files, without the manifests; and a problem for each file that a manifest names and that is not there, has another
 *        size, or lies there and is named by none.
 * From   AWS: `reportKeys` of the older report, `dataFiles` of Data Exports. Azure: `blobs` with sizes and row counts.
 */
export async function partsOf(
  files: readonly BillFile[],
): Promise<{ parts: readonly ExportPart[]; problems: readonly Problem[] }> {
  if (files.length === 0) return { parts: [], problems: [{ message: 'no file was given' }] };
  const manifests: Manifest[] = [];
  const data: BillFile[] = [];
  for (const file of files) {
    const manifest = await readManifest(file);
    if (manifest) manifests.push(manifest);
    else data.push(file);
  }
  if (manifests.length === 0) return { parts: data.map((file) => ({ ...file, label: file.name })), problems: [] };
  return named(manifests, data);
}

async function named(manifests: readonly Manifest[], data: readonly BillFile[]) {
  const parts = new Map<BillFile, ExportPart>();
  const problems: Problem[] = [];
  for (const { name, dataset, entries } of manifests) {
    for (const entry of entries) {
      const file = fileOf(entry.key, data);
      if (!file) {
        problems.push({ message: `the file ${entry.key} that this manifest names was not given`, path: name });
        continue;
      }
      const { size } = await stat(file.path);
      if (entry.sizeBytes !== undefined && entry.sizeBytes !== size) {
        problems.push({ message: `its manifest says ${entry.sizeBytes} bytes and it has ${size}`, path: file.name });
      }
      parts.set(file, {
        ...file,
        label: `${dataset} ${file.name}`,
        ...(entry.rows === undefined ? {} : { rows: entry.rows }),
      });
    }
  }
  for (const file of data.filter((each) => !parts.has(each))) {
    problems.push({ message: 'no manifest names it: it is of another export', path: file.name });
  }
  return { parts: [...parts.values()], problems };
}

/** The file of an object in a bucket: the one whose path has the longest end in common with the key. */
export function fileOf<File extends Pick<BillFile, 'name'>>(key: string, files: readonly File[]): File | null {
  const wanted = key.split('/').reverse();
  const best = { file: null as File | null, common: 0 };
  for (const file of files) {
    const path = file.name.split('/').reverse();
    let common = 0;
    while (common < path.length && path[common] === wanted[common]) common += 1;
    if (common > best.common) Object.assign(best, { file, common });
  }
  return best.file;
}

/** Gives null for a file that is no manifest. */
export async function readManifest(file: BillFile): Promise<Manifest | null> {
  if (!/manifest[^/]*\.json$/i.test(file.name)) return null;
  try {
    if ((await stat(file.path)).size > LARGEST_MANIFEST) return null;
    return manifestOf(file.name, await readFile(file.path, 'utf8'));
  } catch (cause) {
    throw fileFailure(file, cause);
  }
}

interface Written {
  readonly reportKeys?: readonly string[];
  readonly dataFiles?: readonly string[];
  readonly blobs?: readonly { blobName?: string; byteCount?: number; dataRowCount?: number }[];
  readonly exportConfig?: { readonly type?: string };
}

function manifestOf(path: string, text: string): Manifest | null {
  const name = basename(path);
  const written = JSON.parse(text) as Written;
  const keys = written.reportKeys ?? written.dataFiles;
  if (Array.isArray(keys)) return { name, dataset: '', entries: keys.map((key) => ({ key: String(key) })) };
  if (!Array.isArray(written.blobs)) return null;
  const entries = written.blobs.map(({ blobName = '', byteCount, dataRowCount }) => ({
    ...{ key: blobName, sizeBytes: byteCount, rows: dataRowCount },
  }));
  return { name, dataset: written.exportConfig?.type ?? '', entries };
}
