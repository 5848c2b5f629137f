import { FIGURE, type ReportPage, type ReportSection } from './report-page.ts';

const style = `body{font:15px/1.5 system-ui,sans-serif;color:#1a1a1a;max-width:52rem;margin:1rem auto;padding:0 1rem}
table{border-collapse:collapse;width:100%;margin:.5rem 0}th,td{text-align:left;padding:.25rem .5rem;border-bottom:1px solid #ddd;vertical-align:top;overflow-wrap:anywhere}
td.n{text-align:right;white-space:nowrap}.foot{color:#555;font-size:.85rem}`;

/**
 * Writes a report as a page that stands alone and fetches nothing.
 *
 * Holds  whatever tenants call themselves, it is text in the page and nothing else.
 */
export function reportHtml({ title, sections, foot }: ReportPage): string {
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${safe(title)}</title><style>${style}</style></head>
<body>
<h1>${safe(title)}</h1>
${sections.map(sectionHtml).join('\n')}
<p class="foot">${foot.map(safe).join('<br>')}</p>
</body>
</html>
`;
}

function sectionHtml({ heading, sentences, table }: ReportSection): string {
  const words = sentences.map((sentence) => `<p>${safe(sentence)}</p>`);
  return [`<h2>${safe(heading)}</h2>`, ...words, ...(table === null ? [] : [tableHtml(table)])].join('\n');
}

function tableHtml({ heads, rows }: NonNullable<ReportSection['table']>): string {
  const head = heads.map((name) => `<th>${safe(name)}</th>`).join('');
  const cell = (text: string) => `<td${FIGURE.test(text) ? ' class="n"' : ''}>${safe(text)}</td>`;
  const body = rows.map((cells) => `<tr>${cells.map(cell).join('')}</tr>`).join('\n');
  return `<table><thead><tr>${head}</tr></thead><tbody>\n${body}\n</tbody></table>`;
}

/** Signs that mean something in HTML, and those that turn the direction of writing or hide text. */
function safe(text: string): string {
  return plain(text).replace(/[&<>"'`]/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** Writes a report as plain text: no name can begin a line or bring one of its own. */
export function reportText({ title, sections, foot }: ReportPage): string {
  const parts = sections.map(({ heading, sentences, table }) =>
    [
      plain(heading),
      '-'.repeat(heading.length),
      ...sentences.map(plain),
      ...(table === null ? [] : tableText(table)),
    ].join('\n'),
  );
  return `${[plain(title), ...parts, foot.map(plain).join('\n')].join('\n\n')}\n`;
}

const WIDEST = 60;

function tableText({ heads, rows }: NonNullable<ReportSection['table']>): string[] {
  const cells = [heads, ...rows].map((row) => row.map((text) => plain(text)));
  const widths = heads.map((_, place) => Math.min(WIDEST, Math.max(...cells.map((row) => row[place]!.length))));
  return cells.map((row) =>
    row
      .map((text, place) => (FIGURE.test(text) ? text.padStart(widths[place]!) : text.padEnd(widths[place]!)))
      .join('  ')
      .trimEnd(),
  );
}

function plain(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, ' ');
}
