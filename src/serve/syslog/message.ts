/** What a syslog message carries. */
export interface SyslogMessage {
  /** The program that wrote it; empty when it does not say. */
  readonly tag: string;
  /** One line, without header and line end. */
  readonly line: string;
}

const RFC5424 =
  /^<\d{1,3}>1 \S{1,64} \S{1,255} (\S{1,48}) \S{1,128} \S{1,32} (?:-|(?:\[(?:[^\]\\]|\\.){0,4000}\])+)(?: |$)/;
const PRIORITY_AND_TIME =
  /^<\d{1,3}>(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d |\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\S{0,20} )?/;
/** A host without a colon at its end, then a program; HAProxy writes no host unless it is told to. */
const TAG = /^(?:\S{0,254}[^\s:] )?([\w./-]{1,48})(?:\[[^\]\s]{1,48}\])?: ?/;

/**
 * Takes a syslog message apart.
 *
 * Holds  never throws; a message without a header is a line without a tag.
 * From   RFC 5424; RFC 3164 as nginx and HAProxy write it.
 */
export function readSyslog(text: string): SyslogMessage {
  const message = oneLine(text);
  const modern = RFC5424.exec(message);
  if (modern) {
    const [header, tag] = modern as unknown as [string, string];
    return { tag: tag === '-' ? '' : tag, line: message.slice(header.length).replace(/^\ufeff/, '') };
  }
  const head = PRIORITY_AND_TIME.exec(message);
  if (!head) return { tag: '', line: message };
  const rest = message.slice(head[0].length);
  const tag = TAG.exec(rest);
  return tag ? { tag: tag[1]!, line: rest.slice(tag[0].length) } : { tag: '', line: rest };
}

/** Senders end a message with a line feed or a NUL, or both; within one a line feed would make two lines of it. */
function oneLine(text: string): string {
  let end = text.length;
  while (end > 0 && (text.charCodeAt(end - 1) === 0 || text.charCodeAt(end - 1) === 10)) end -= 1;
  return text.slice(0, end).replaceAll('\n', ' ');
}
