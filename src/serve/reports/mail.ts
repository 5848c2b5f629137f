import { type Outcome, type Unsent, unsent } from './outcome.ts';

export interface MailSettings {
  /** `smtp://` or `smtps://`, with user and password where the server asks for them; empty for none. */
  readonly url: string;
  readonly from: string;
}

export interface Mail {
  /** Of the message: the same at every attempt. */
  readonly id: string;
  /** One address: of several a server may take some, and nobody could say to whom it goes again. */
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

const CONNECT_WITHIN_MS = 15_000;
const SILENT_AT_MOST_MS = 20_000;

/**
 * Sends a mail by SMTP.
 *
 * Gives  null when the server has taken it.
 * Holds  a password is not sent in clear text, but to this machine, and is in no reason.
 */
export async function sendMail({ url, from }: MailSettings, { id, to, subject, text, html }: Mail): Promise<Outcome> {
  if (url === '' || from === '')
    return unsent('there is no mail server: set TAXIMETER_SMTP_URL and TAXIMETER_SMTP_FROM');
  const server = new URL(url);
  // Most commands never send a mail.
  const { createTransport } = await import('nodemailer');
  const password = decodeURIComponent(server.password);
  const transport = createTransport({
    ...serverOf(server, password),
    ...{ connectionTimeout: CONNECT_WITHIN_MS, greetingTimeout: CONNECT_WITHIN_MS, socketTimeout: SILENT_AT_MOST_MS },
    ...{ disableFileAccess: true, disableUrlAccess: true },
  });
  try {
    const headers = { 'Auto-Submitted': 'auto-generated', 'X-Taximeter-Report': id };
    const messageId = `<${id}@${/@([\w.-]+)/.exec(from)?.[1] ?? server.hostname}>`;
    await transport.sendMail({ from, to, subject, text, html, messageId, headers });
    return null;
  } catch (cause) {
    return reasonOf(cause as Error, server.hostname, password);
  } finally {
    transport.close();
  }
}

function serverOf(server: URL, password: string) {
  const host = server.hostname.replace(/^\[|\]$/g, '');
  const secure = server.protocol === 'smtps:';
  const user = decodeURIComponent(server.username);
  const isHere = /^(127(\.\d{1,3}){3}|localhost|::1)$/.test(host);
  return {
    ...{ host, secure, port: server.port === '' ? (secure ? 465 : 587) : Number(server.port) },
    ...(user === '' ? {} : { auth: { user, pass: password } }),
    requireTLS: !secure && user !== '' && !isHere,
  };
}

/** What servers say may repeat what was sent to them. */
function reasonOf(cause: Error & { responseCode?: number; code?: string }, host: string, password: string): Unsent {
  const { responseCode, code, message } = cause;
  const words = password === '' ? message : message.replaceAll(password, '***');
  const isFinal = responseCode !== undefined && responseCode >= 500 && code !== 'EAUTH';
  return unsent(`${host}: ${words.split('\n')[0]!.slice(0, 300)}`, isFinal);
}
