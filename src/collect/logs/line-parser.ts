import { type LineParser, LONGEST_LINE, type Parsed } from './log-line.ts';
import { bareLine } from './prefix.ts';

/**
 * Makes a parser of what reads one bare line.
 *
 * Takes  read: gets a line that is not blank nor too long, without line end and without what runtimes put in front.
 */
export function lineParser(read: (line: string) => Parsed): LineParser {
  return {
    parse(raw) {
      if (raw.length > LONGEST_LINE) return 'line_too_long';
      const line = bareLine(raw);
      if (line === null) return 'line_malformed';
      const trimmed = line.charCodeAt(line.length - 1) <= 32 ? line.trimEnd() : line;
      return trimmed === '' ? 'header' : read(trimmed);
    },
  };
}
