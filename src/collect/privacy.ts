import { createHmac, randomBytes } from 'node:crypto';
import { templateName } from './path-template.ts';

const MOST_NAMES = 20_000;
const LONGEST_NAME = 512;
const LONGEST_CONSUMER = 256;
const PERSONAL = /@|%40|^\d{1,3}(\.\d{1,3}){3}$|^[0-9a-f]*:[0-9a-f:]+$/i;

const names = new Map<string, Buffer>();
const consumers = new Map<string, Buffer>();
let pseudonymKey = randomBytes(32);

/** Sets the key of pseudonyms; without it a new one holds for this process only. */
export function usePseudonymKey(key: Buffer): void {
  pseudonymKey = Buffer.from(key);
  consumers.clear();
}

/** Gives a span's name without ids and personal data, as bytes. Instrumentation uses few names: each is worked out once. */
export function safeName(source: Buffer, start: number, end: number): Buffer {
  const raw = source.toString('latin1', start, Math.min(end, start + LONGEST_NAME));
  const known = names.get(raw);
  if (known) return known;
  const name = Buffer.from(templateName(Buffer.from(raw, 'latin1').toString('utf8')));
  if (names.size >= MOST_NAMES) names.clear();
  names.set(raw, name);
  return name;
}

/** Gives a consumer's name as stored: e-mail and IP addresses become keyed pseudonyms. */
export function safeConsumer(text: string): Buffer {
  const known = consumers.get(text);
  if (known) return known;
  const consumer = consumerBytes(text);
  if (consumers.size >= MOST_NAMES) consumers.clear();
  if (text.length <= LONGEST_NAME) consumers.set(text, consumer);
  return consumer;
}

function consumerBytes(text: string): Buffer {
  if (!PERSONAL.test(text))
    return Buffer.from([...text.slice(0, 2 * LONGEST_CONSUMER)].slice(0, LONGEST_CONSUMER).join(''));
  const digest = createHmac('sha256', pseudonymKey).update(text).digest('hex');
  return Buffer.from(`p_${digest.slice(0, 20)}`);
}
