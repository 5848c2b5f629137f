import { findLogFormat, logFormatNames, shownLogLine } from '../collect/index.ts';
import { fail } from '../model/index.ts';
import { checkFile, lineChunks, unpacked } from './read-input.ts';

/**
 * Prints one JSON object per line of a log; nothing is stored.
 *
 * Takes  print: gets many lines at once.
 * Fails  FORMAT_UNKNOWN, FILE_UNREADABLE, FILE_DAMAGED.
 */
export async function parseFile(file: string, format: string, print: (text: string) => void): Promise<void> {
  const known = findLogFormat(format);
  if (known === null) throw fail('FORMAT_UNKNOWN', { format, known: logFormatNames.join(', ') });
  const packing = file === '-' ? 'plain' : await checkFile(file);
  const parser = known.open();
  for await (const chunk of lineChunks(unpacked(file, packing), file)) {
    const lines = chunk.bytes.toString('utf8').split('\n');
    if (lines.at(-1) === '') lines.pop();
    const parsed = lines.map((raw, index) => {
      const line = parser.parse(raw.endsWith('\r') ? raw.slice(0, -1) : raw);
      return JSON.stringify(
        typeof line === 'object' ? shownLogLine(line) : { error: line, line: chunk.firstLine + index },
      );
    });
    print(parsed.join('\n'));
  }
}
