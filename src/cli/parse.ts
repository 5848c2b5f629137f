import {
  detectLogFormat,
  findLogFormat,
  type LineParser,
  type LogFormat,
  logFormatNames,
  shownLogLine,
} from '../collect/front.ts';
import { fail } from '../model/index.ts';
import { checkFile, type LineChunk, lineChunks, unpacked, unpackedInput } from './read-input.ts';

/** Where `parse` prints: many lines of JSON at once, and single sentences for people. */
export interface ParseOutput {
  readonly print: (text: string) => void;
  readonly warn: (text: string) => void;
}

const MOST_NAMED = 20;
const HEAD_BYTES = 1 << 20;

/**
 * Prints one JSON object per line of a log; nothing is stored.
 *
 * Takes  format: a name of an access-log format, `pattern:...`, or `auto`, which says on stderr what it took.
 * Holds  a line that is no call gives `{"error": reason, "line": n}` in its place; the first ones are named on stderr.
 * Fails  FORMAT_UNKNOWN, FILE_UNREADABLE, FILE_DAMAGED.
 */
export async function parseFile(file: string, format: string, output: ParseOutput): Promise<void> {
  const named = format === 'auto' ? null : formatOf(format);
  const packing = file === '-' ? 'plain' : await checkFile(file);
  const refused = new Refused(file, output);
  let parser = named?.open();
  for await (const chunk of lineChunks(file === '-' ? unpackedInput(process.stdin) : unpacked(file, packing), file)) {
    parser ??= detected(file, chunk.bytes.toString('utf8', 0, HEAD_BYTES), output).open();
    output.print(parsedChunk(chunk, parser, refused));
  }
  refused.sumUp();
}

function formatOf(name: string): LogFormat {
  const format = findLogFormat(name);
  if (!format) throw fail('FORMAT_UNKNOWN', { format: name, known: ['auto', ...logFormatNames].join(', ') });
  return format;
}

function detected(file: string, head: string, output: ParseOutput): LogFormat {
  const format = detectLogFormat(head);
  if (!format) throw fail('FORMAT_UNKNOWN', { file });
  output.warn(`taximeter: ${file}: format ${format.name}`);
  return format;
}

function parsedChunk(chunk: LineChunk, parser: LineParser, refused: Refused): string {
  const lines = chunk.bytes.toString('utf8').split('\n');
  if (lines.at(-1) === '') lines.pop();
  const shown = lines.map((raw, index) => {
    const line = parser.parse(raw.endsWith('\r') ? raw.slice(0, -1) : raw);
    if (typeof line !== 'string') return shownLogLine(line);
    refused.add(chunk.firstLine + index, line);
    return { error: line, line: chunk.firstLine + index };
  });
  return shown.map((each) => JSON.stringify(each)).join('\n');
}

/** Names the first lines that are refused, and counts all of them. A header is not refused. */
class Refused {
  readonly #file: string;
  readonly #output: ParseOutput;
  readonly #counts = new Map<string, number>();
  #total = 0;

  constructor(file: string, output: ParseOutput) {
    this.#file = file;
    this.#output = output;
  }

  add(line: number, reason: string): void {
    if (reason === 'header') return;
    this.#total += 1;
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + 1);
    if (this.#total <= MOST_NAMED) this.#output.warn(`taximeter: ${this.#file}: line ${line}: ${reason}`);
  }

  sumUp(): void {
    if (this.#total <= MOST_NAMED) return;
    const counts = [...this.#counts].map(([reason, count]) => `${count} ${reason}`);
    this.#output.warn(`taximeter: ${this.#file}: ${this.#total} lines refused: ${counts.join(', ')}`);
  }
}
