import { ClfReader } from './clf.ts';
import { lineParser } from './line-parser.ts';
import type { LogFormat, LogLine, Parsed } from './log-line.ts';
import { PlainClfReader } from './plain-clf.ts';
import { microseconds, PER_MILLISECOND, PER_SECOND } from './quantities.ts';
import { closingQuote, fieldsOf, NO_NUMBER, present, wholeAt } from './text-fields.ts';

/** Reads the fields that a format adds after the agent; false when these are others. */
type ReadTail = (line: LogLine, text: string, at: number) => boolean;

const anyTail: ReadTail = () => true;

function open(readTail: ReadTail, hasVhost = false) {
  return () => {
    const reader = new ClfReader();
    return lineParser((text): Parsed => {
      const from = hasVhost ? text.indexOf(' ') + 1 : 0;
      if (hasVhost && from === 0) return 'line_malformed';
      const line = reader.read(text, from);
      if (typeof line === 'string') return line;
      if (hasVhost && !addVhost(line, text.slice(0, from - 1))) return 'line_malformed';
      return readTail(line, text, reader.tailAt) ? line : 'line_malformed';
    });
  };
}

/** Fields that a server adds behind the agent are left out; those of the formats below are read. */
export const combined: LogFormat = {
  name: 'combined',
  aliases: ['apache-combined', 'nginx-combined'],
  open: open(anyTail),
  plain: () => new PlainClfReader(),
};

export const common: LogFormat = {
  name: 'common',
  open: open(anyTail),
  plain: () => new PlainClfReader(),
  isTypical: (_, raw) => /^ (?:\d{3}|-) (?:\d+|-)\s*$/.test(raw.slice(raw.lastIndexOf('"') + 1)),
};

/** nginx as it is packaged: one more quoted field, X-Forwarded-For or the gzip ratio. */
export const nginxMain: LogFormat = {
  name: 'nginx-main',
  open: open((_, text, at) => text.startsWith(' "', at) && closingQuote(text, at + 2) >= 0),
};

const INGRESS = / (\d{1,15}|-) (\d{1,9}\.\d{1,6}|-) \[[^\]\s]{0,300}\](?: \[[^\]\s]{0,300}\])?(?: (\S.{0,2000}))?$/y;

/** ingress-nginx: request length and time, then what it knows of the upstream. */
export const nginxIngress: LogFormat = {
  name: 'nginx-ingress',
  open: open((line, text, at) => {
    INGRESS.lastIndex = at;
    const match = INGRESS.exec(text);
    if (!match) return false;
    const length = wholeAt(match[1]!, 0, match[1]!.length);
    if (length !== NO_NUMBER) line.bytesIn = length;
    line.durationUs = microseconds(match[2], PER_SECOND);
    line.requestId = /(?:^| )([\da-f]{32})$/.exec(match[3] ?? '')?.[1];
    return true;
  }),
};

/** Traefik: count, router, server, and the duration with its unit. */
export const traefikClf: LogFormat = {
  name: 'traefik-clf',
  open: open((line, text, at) => {
    const fields = fieldsOf(text, at, 5);
    const [requests, , , duration] = fields ?? [];
    if (fields?.length !== 4 || requests!.isQuoted || !/^(?:\d{1,16}|-)$/.test(requests!.text)) return false;
    if (!/^\d{1,12}ms$/.test(duration!.text)) return false;
    line.durationUs = microseconds(duration!.text.slice(0, -2), PER_MILLISECOND);
    return true;
  }),
};

/** Faster than this no server answers: it is `%T`, in seconds, or a size. */
const FASTEST_US = 10;

/** Apache with `%D` at the end: microseconds, behind the agent or behind the size. */
export const apacheD: LogFormat = {
  name: 'apache-d',
  open: open((line, text, at) => {
    const us = wholeAt(text, at + 1, text.length);
    if (us < 0) return false;
    line.durationUs = us;
    return true;
  }),
  isTypical: (line) => (line.durationUs ?? 0) >= FASTEST_US,
};

/** `host ` or `host:port ` in front, from Apache's `vhost_combined` and its imitations. */
export const vhost: LogFormat = {
  name: 'apache-vhost',
  aliases: ['nginx-vhost'],
  open: open(anyTail, true),
  isTypical: (line, raw) => {
    const [first] = raw.split(' ', 1);
    return /[a-z:]/i.test(first!) && !first!.endsWith(',') && /[.:]/.test(line.clientIp ?? '');
  },
};

function addVhost(line: LogLine, text: string): boolean {
  if (line.clientIp === undefined || text.includes('"') || text.startsWith('[')) return false;
  const host = present(text);
  if (host !== undefined && !/^[-_](?::\d+)?$/.test(host)) line.host = host;
  return true;
}
