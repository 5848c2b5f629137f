/**
 * Writes one line of CSV, without its end.
 *
 * Holds  a cell that a spreadsheet would run as a formula is marked as text.
 * From   RFC 4180
 */
export function csvLine(values: readonly string[]): string {
  return values
    .map((value) => {
      const isNumber = /^-?\d+(\.\d+)?$/.test(value);
      const safe = !isNumber && /^[=+@\t\r-]/.test(value) ? `'${value}` : value;
      return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
    })
    .join(',');
}
