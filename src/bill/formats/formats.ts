import { isFocusHeader } from '../focus-header.ts';
import type { Table } from '../table.ts';
import { awsCur, awsCur2 } from './aws-cur.ts';
import { azure } from './azure.ts';
import { gcp } from './gcp.ts';
import { opencost } from './opencost.ts';
import { plainCsv } from './plain-csv.ts';
import type { BillFormat, Provider } from './translation.ts';

/** In the order in which a header is held against them; the plain table asks for least and comes last. */
export const providers: readonly Provider[] = [awsCur, awsCur2, gcp, azure, opencost, plainCsv];

/** Gives the format that a table's columns are those of; null when it is none that is known. */
export function formatOf({ columns }: Pick<Table, 'columns'>): BillFormat | null {
  const written = columns.map(({ name }) => name);
  if (isFocusHeader(written)) return 'focus';
  return providers.find((provider) => isHeaderOf(provider, written))?.format ?? null;
}

function isHeaderOf(provider: Provider, written: readonly string[]): boolean {
  return provider.isHeader(new Set(written.map((name) => provider.nameOf(name.trim()))), written);
}

/** Gives the rules of a format; null for FOCUS itself, which needs none. */
export function providerOf(format: BillFormat): Provider | null {
  return providers.find((provider) => provider.format === format) ?? null;
}

/** Names the columns that a provider's export must have and this one has not. */
export function missingColumns({ columns }: Pick<Table, 'columns'>, provider: Provider): string[] {
  const names = new Set(columns.map(({ name }) => provider.nameOf(name.trim())));
  const isThere = (need: string | readonly string[]) =>
    typeof need === 'string' ? names.has(need) : need.some((name) => names.has(name));
  return provider.needs
    .filter((need) => !isThere(need))
    .map((need) => (typeof need === 'string' ? need : need.join(' or ')));
}
