import { createHmac, randomBytes } from 'node:crypto';
import { templateName } from './path-template.ts';

const LONGEST_CONSUMER = 256;
const ADDRESS = /^\d{1,3}(\.\d{1,3}){3}(:\d+)?$|^[0-9a-f]*:[0-9a-f]*:[0-9a-f:.%\w]*$/i;
const MAIL = /@|%40/;

let pseudonymKey = randomBytes(32);

/** Sets the key of pseudonyms; without it a new one holds for this process only. */
export function usePseudonymKey(key: Buffer): void {
  pseudonymKey = Buffer.from(key);
}

/** Gives whom a span called, as stored: a host by its name, an address only as that it was one. */
export function safePeer(text: string): string {
  const host = text.replace(/^\[|\](:\d+)?$/g, '');
  return ADDRESS.test(host) ? '{ip}' : templateName(text);
}

/** Gives a consumer's name as stored: e-mail and IP addresses become keyed pseudonyms. */
export function safeConsumer(text: string): string {
  if (!MAIL.test(text) && !ADDRESS.test(text))
    return [...text.slice(0, 2 * LONGEST_CONSUMER)].slice(0, LONGEST_CONSUMER).join('');
  const digest = createHmac('sha256', pseudonymKey).update(text).digest('hex');
  return `p_${digest.slice(0, 20)}`;
}
