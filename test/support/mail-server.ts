import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { SMTPServer } from 'smtp-server';

/** A mail as the server took it. */
export interface TakenMail {
  readonly from: string;
  readonly to: readonly string[];
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  /** The parts by their type, as they were before they were packed. */
  readonly parts: ReadonlyMap<string, string>;
  readonly raw: string;
}

export interface MailServer {
  readonly port: number;
  readonly mails: TakenMail[];
  /** What it says instead of taking the next mails; empty to take them. */
  refusal: { readonly code: number; readonly words: string } | null;
  /** Receivers that it refuses, with what it says to them. */
  readonly refused: Map<string, { readonly code: number; readonly words: string }>;
  close(): Promise<void>;
}

/** Starts an SMTP server on loopback. Takes  password: of the user `taximeter`; empty where nobody has to say who it is. */
export async function startMailServer(password = ''): Promise<MailServer> {
  const mails: TakenMail[] = [];
  const taken: MailServer = { port: 0, mails, refusal: null, refused: new Map(), close: async () => undefined };
  const server = new SMTPServer({
    ...{
      disabledCommands: ['STARTTLS'],
      authOptional: password === '',
      allowInsecureAuth: true,
      disableReverseLookup: true,
    },
    onAuth({ username, password: said }, _session, done) {
      if (username === 'taximeter' && said === password) done(null, { user: username });
      else done(new Error(`no such user with the password ${said}`));
    },
    onRcptTo({ address }, _session, done) {
      const refusal = taken.refused.get(address);
      if (refusal) done(Object.assign(new Error(refusal.words), { responseCode: refusal.code }));
      else done();
    },
    onData(stream, session, done) {
      text(stream).then((raw) => {
        const { refusal } = taken;
        if (refusal) return done(Object.assign(new Error(refusal.words), { responseCode: refusal.code }));
        const { mailFrom, rcptTo } = session.envelope;
        mails.push({
          from: mailFrom ? mailFrom.address : '',
          to: rcptTo.map(({ address }) => address),
          ...readMail(raw),
        });
        done();
      }, done);
    },
  });
  server.on('error', () => undefined);
  const listener = server.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  return Object.assign(taken, {
    port: (listener.address() as AddressInfo).port,
    close: () => new Promise<void>((done) => server.close(() => done())),
  });
}

function readMail(raw: string) {
  const [head = '', body = ''] = cut(raw);
  const headers = headersOf(head);
  const boundary = /boundary="([^"]+)"/.exec(headers.get('content-type') ?? '')?.[1];
  const parts = (boundary === undefined ? [] : body.split(`--${boundary}`)).flatMap((part) => {
    const [partHead = '', packed = ''] = cut(part.replace(/^\r\n/, ''));
    const own = headersOf(partHead);
    const type = own.get('content-type')?.split(';')[0];
    return type === undefined
      ? []
      : [[type, unpacked(packed, own.get('content-transfer-encoding') ?? '7bit')] as const];
  });
  return { headers, parts: new Map(parts), raw };
}

function cut(message: string): string[] {
  const at = message.indexOf('\r\n\r\n');
  return at < 0 ? [message] : [message.slice(0, at), message.slice(at + 4)];
}

function headersOf(head: string): Map<string, string> {
  const lines = head.replace(/\r\n[ \t]+/g, ' ').split('\r\n');
  return new Map(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  );
}

function unpacked(text: string, encoding: string): string {
  if (encoding === 'base64') return Buffer.from(text, 'base64').toString();
  if (encoding !== 'quoted-printable') return text;
  const bytes = text
    .replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString();
}
