import { IsoClock } from './iso-clock.ts';

const clock = new IsoClock();

/**
 * Takes away what runtimes and syslog put in front of a line: Kubernetes (CRI), Docker's JSON files, syslog of RFC 3164 and
 * RFC 5424, a byte order mark.
 *
 * Gives  the line itself; null for a piece of a line that the runtime cut (CRI `P`), which is no line.
 */
export function bareLine(line: string): string | null {
  switch (kindOf(line)) {
    case 'iso':
      return afterIsoTime(line);
    case 'docker':
      return dockerLine(line);
    case 'priority':
      return afterPriority(line);
    case 'syslog':
      return afterTag(line, 'Jan  1 00:00:00 '.length);
    case 'mark':
      return bareLine(line.slice(1));
    default:
      return line;
  }
}

/** Tells by a few characters whether anything stands in front; most lines have nothing. */
function kindOf(line: string): 'none' | 'iso' | 'docker' | 'priority' | 'syslog' | 'mark' {
  const first = line.charCodeAt(0);
  if (first >= 48 && first <= 57) return line.charCodeAt(10) === 84 && line.charCodeAt(4) === 45 ? 'iso' : 'none';
  if (first === 123) return line.startsWith('{"log":"') ? 'docker' : 'none';
  if (first === 60) return 'priority';
  if (first === 0xfeff) return 'mark';
  const isDate = line.charCodeAt(3) === 32 && line.charCodeAt(6) === 32 && line.charCodeAt(9) === 58;
  return isDate && line.charCodeAt(12) === 58 && line.charCodeAt(15) === 32 ? 'syslog' : 'none';
}

const STREAM = / (?:stdout|stderr) ([FP])(?: |$)/y;

function afterIsoTime(line: string): string | null {
  if (clock.read(line) < 0 || line.charCodeAt(clock.end) !== 32) return line;
  STREAM.lastIndex = clock.end;
  const stream = STREAM.exec(line);
  if (!stream) return afterTag(line, clock.end + 1);
  if (stream[1] === 'P') return null;
  const rest = line.slice(STREAM.lastIndex);
  // What runs in the container may be syslog, but not another container.
  return kindOf(rest) === 'priority' || kindOf(rest) === 'syslog' ? bareLine(rest) : rest;
}

/** After `host program[pid]: `, where one stands at a place; a line without one is left as it is. */
function afterTag(line: string, at: number): string {
  let end = at;
  for (let words = 0; words < 2; words++) {
    end = line.indexOf(' ', end + 1);
    if (end < 0) return line;
    if (line.charCodeAt(end - 1) === 58) return line.slice(end + 1).trimStart();
  }
  return line;
}

const PRIORITY = /^<\d{1,3}>/;
const RFC5424 = /^1 \S{1,64} \S{1,255} \S{1,48} \S{1,128} \S{1,32} (?:-|(?:\[(?:[^\]\\]|\\.){0,2000}\])+)(?: |$)/;

function afterPriority(line: string): string {
  const priority = PRIORITY.exec(line);
  if (!priority) return line;
  const rest = line.slice(priority[0].length);
  const header = RFC5424.exec(rest);
  if (header) return rest.slice(header[0].length).replace(/^\uFEFF/, '');
  const kind = kindOf(rest);
  if (kind === 'syslog') return afterTag(rest, 'Jan  1 00:00:00 '.length);
  return kind === 'iso' ? (afterIsoTime(rest) ?? rest) : afterTag(rest, 0);
}

function dockerLine(line: string): string {
  try {
    const { log } = JSON.parse(line) as { log?: unknown };
    return typeof log === 'string' ? log.replace(/[\r\n]+$/, '') : line;
  } catch {
    return line;
  }
}
