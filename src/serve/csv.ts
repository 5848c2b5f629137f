/**
 * Writes rows as CSV: the columns are the names that the rows have, in the order in which they come.
 *
 * From  RFC 4180; a text that a spreadsheet would run as a formula is marked as text.
 */
export function csvOf(rows: readonly Readonly<Record<string, unknown>>[], names?: readonly string[]): string {
  const columns = names ?? [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const lines = [columns, ...rows.map((row) => columns.map((name) => row[name]))];
  return lines.map((cells) => `${cells.map(csvCell).join(',')}\r\n`).join('');
}

function csvCell(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value !== 'string') return String(value);
  const safe = /^[=+@\t\r-]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
