/** One row, or `open` while a quoted field goes on in the next line; null when quotes stand where none may. */
export type CsvRow = readonly string[] | 'open' | null;

const QUOTE = 34;
const MOST_FIELDS = 1000;

/** Cuts one row of CSV (RFC 4180) into its fields. */
export function csvRow(text: string): CsvRow {
  const fields: string[] = [];
  for (let at = 0; at <= text.length && fields.length < MOST_FIELDS; ) {
    if (text.charCodeAt(at) !== QUOTE) {
      const comma = text.indexOf(',', at);
      const end = comma < 0 ? text.length : comma;
      fields.push(text.slice(at, end));
      at = end + 1;
      continue;
    }
    const end = endOfQuoted(text, at + 1);
    if (end < 0) return 'open';
    if (end + 1 < text.length && text.charCodeAt(end + 1) !== 44) return null;
    fields.push(text.slice(at + 1, end).replaceAll('""', '"'));
    at = end + 2;
  }
  return fields;
}

/** The quote that is not doubled; -1 when there is none. */
function endOfQuoted(text: string, from: number): number {
  for (let at = text.indexOf('"', from); at >= 0; at = text.indexOf('"', at + 2)) {
    if (text.charCodeAt(at + 1) !== QUOTE) return at;
  }
  return -1;
}
