import { type LogLine, parseCombined } from '../collect/index.ts';
import { fail, formatInstant } from '../model/index.ts';
import { checkFile, lineChunks, unpacked } from './read-input.ts';

/**
 * Prints one JSON object per line of a log; nothing is stored.
 *
 * Takes  print: gets many lines at once.
 * Fails  FORMAT_UNKNOWN, FILE_UNREADABLE, FILE_DAMAGED.
 */
export async function parseFile(file: string, format: string, print: (text: string) => void): Promise<void> {
  if (format !== 'combined' && format !== 'common') throw fail('FORMAT_UNKNOWN', { format, known: 'combined, common' });
  const packing = file === '-' ? 'plain' : await checkFile(file);
  for await (const chunk of lineChunks(unpacked(file, packing), file)) {
    const lines = chunk.text.split('\n');
    if (lines.at(-1) === '') lines.pop();
    const parsed = lines.map((raw, index) => {
      const line = parseCombined(raw.endsWith('\r') ? raw.slice(0, -1) : raw);
      return JSON.stringify(line ? shown(line) : { error: 'line_malformed', line: chunk.firstLine + index });
    });
    print(parsed.join('\n'));
  }
}

/** The keys that `parse` prints, in its order; what is absent is left out. */
function shown(line: LogLine): Record<string, unknown> {
  return {
    ts: formatInstant(line.tsMs),
    method: line.method,
    path: line.path,
    query: line.query,
    status: line.status,
    bytes_in: line.bytesIn,
    bytes_out: line.bytesOut,
    duration_us: line.durationUs,
    client_ip: line.clientIp,
    user_agent: line.userAgent,
    host: line.host,
    protocol: line.protocol,
  };
}
