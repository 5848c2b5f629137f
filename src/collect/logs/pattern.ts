import { fail } from '../../model/index.ts';
import { apachePieces } from './apache-pattern.ts';
import { BAD_TIME, NO_TIME, SECOND_US } from './calendar.ts';
import { lineParser } from './line-parser.ts';
import { type LineRefusal, type LogFormat, type LogLine, newLogLine, type Parsed } from './log-line.ts';
import { nginxPieces } from './nginx-pattern.ts';
import type { Piece, Slot } from './pattern-piece.ts';
import { isEscaped, unescaped } from './text-fields.ts';

const LONGEST_PATTERN = 4096;

/**
 * Makes a format of what the user wrote in a server's configuration.
 *
 * Takes  text: of nginx's `log_format` (`$remote_addr [$time_local] ...`) or Apache's `LogFormat` (`%h %l %u %t ...`).
 * Gives  a parser that follows the pattern from left to right; a slot ends where the text after it begins.
 * Fails  FORMAT_UNKNOWN, with every problem: names that are not known, slots with nothing between them, no time.
 */
export function patternFormat(text: string): LogFormat {
  const problems: string[] = [];
  const pieces = piecesOf(text, problems);
  problems.push(...ambiguities(pieces));
  const format = `pattern:${text.slice(0, 200)}`;
  if (problems.length > 0)
    throw fail(
      'FORMAT_UNKNOWN',
      { format },
      problems.map((message) => ({ message })),
    );
  return { name: format, open: () => lineParser((line) => follow(pieces, line)) };
}

function piecesOf(text: string, problems: string[]): readonly Piece[] {
  if (text.length > LONGEST_PATTERN) {
    problems.push(`the pattern is longer than ${LONGEST_PATTERN} characters`);
    return [];
  }
  const pieces = /\$\{?[a-z]/i.test(text) ? nginxPieces(text, problems) : apachePieces(text, problems);
  if (!pieces.some((piece) => typeof piece !== 'string'))
    problems.push('the pattern has no variable of nginx or Apache');
  else if (!pieces.some((piece) => typeof piece !== 'string' && piece.time))
    problems.push('the pattern has no time: add [$time_local], $time_iso8601 or $msec, for Apache %t');
  return pieces;
}

function ambiguities(pieces: readonly Piece[]): string[] {
  const pairs = pieces.slice(1).map((piece, place) => [pieces[place], piece]);
  return pairs.flatMap(([one, other]) =>
    typeof one === 'string' || typeof other === 'string' || !one || !other
      ? []
      : [`the pattern is ambiguous: nothing stands between ${one.name} and ${other.name}`],
  );
}

function follow(pieces: readonly Piece[], text: string): Parsed {
  const line = newLogLine(NO_TIME);
  let at = 0;
  for (let place = 0; place < pieces.length; place++) {
    const piece = pieces[place]!;
    if (typeof piece === 'string') {
      if (!text.startsWith(piece, at)) return 'line_malformed';
      at += piece.length;
      continue;
    }
    const end = endOf(piece, pieces, place + 1, text, at);
    if (end < 0) return 'line_malformed';
    const refusal = fill(line, piece, text.slice(at, end));
    if (refusal) return refusal;
    at = end;
  }
  return at === text.length && line.tsUs >= 0 ? line : 'line_malformed';
}

/** Where a value ends: at the text that follows it in the pattern, which for the last one is the end of the line. */
function endOf(slot: Slot, pieces: readonly Piece[], nextPlace: number, text: string, at: number): number {
  if (slot.end) return slot.end(text, at);
  const next = (pieces[nextPlace] ?? '') as string;
  if (nextPlace >= pieces.length - 1)
    return text.endsWith(next) && text.length - next.length >= at ? text.length - next.length : -1;
  for (let end = text.indexOf(next, at); end >= 0; end = text.indexOf(next, end + 1)) {
    if (next.startsWith('"') && isEscaped(text, end, at)) continue;
    const goesOn = slot.isList && next.startsWith(' ') && (/[,:]/.test(text[end - 1] ?? '') || text[end + 1] === ':');
    if (!goesOn) return end;
  }
  return -1;
}

function fill(line: LogLine, slot: Slot, value: string): LineRefusal | null {
  if (slot.time) {
    const tsUs = slot.time(value);
    // Several slots may hold the time; the finest one counts.
    if (tsUs < 0) return tsUs === BAD_TIME ? 'time_invalid' : 'line_malformed';
    if (line.tsUs < 0 || tsUs % SECOND_US !== 0) line.tsUs = tsUs;
  }
  slot.set?.(line, unescaped(value));
  return null;
}
