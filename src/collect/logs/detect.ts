import { logFormats } from './formats.ts';
import { LONGEST_LINE, type LogFormat } from './log-line.ts';

const LINES = 50;
/** A more specific format may miss a few lines (cut off, made by attackers) that a broad one still takes. */
const NEARLY = 0.9;

/** How a format fares with the first lines of a log. */
interface Vote {
  readonly format: LogFormat;
  readonly typical: number;
  readonly strange: number;
}

/**
 * Recognises the format of an access log by its first lines: the most specific format that nearly all of them fit.
 *
 * Takes  head: the beginning of the file; a last line without its end is left out when there are others.
 * Gives  null when it is unclear: no line fits, or most do not. Other kinds of files (OTLP JSON lines, bills) are unclear too.
 */
export function detectLogFormat(head: string): LogFormat | null {
  const lines = firstLines(head);
  const votes = logFormats.map((format) => voteOf(format, lines, head));
  const most = Math.max(...votes.map(({ typical }) => typical));
  const winner = votes.find(({ typical, strange }) => typical >= most * NEARLY && typical >= strange);
  return winner !== undefined && winner.typical > 0 ? winner.format : null;
}

function firstLines(head: string): string[] {
  const lines = head.slice(0, LINES * LONGEST_LINE).split('\n', LINES + 1);
  const isCut = lines.length <= LINES && lines.at(-1) !== '' && lines.length > 1;
  const whole = isCut ? lines.slice(0, -1) : lines.slice(0, LINES);
  return whole.map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
}

function voteOf(format: LogFormat, lines: readonly string[], head: string): Vote {
  const parser = format.open(head);
  let [typical, strange] = [0, 0];
  for (const raw of lines) {
    const line = parser.parse(raw);
    // Servers write other records between those of calls.
    if (line === 'header' || line === 'record_other') continue;
    if (typeof line !== 'string' && (format.isTypical?.(line, raw) ?? true)) typical += 1;
    else strange += 1;
  }
  return { format, typical, strange };
}
