import { createHmac, randomBytes } from 'node:crypto';
import { ADDRESS_V6, cut, templateName } from './path-template.ts';

/** Expressions see no more than this of a text: on long runs they would take the square of its length. */
const LONGEST_EXAMINED = 512;
/** What is stored of a longer text; what the cut above may have halved, a key or an address, is not in it. */
const LONGEST_STORED = 256;
const LONGEST_CONSUMER = 256;
const ADDRESS = /^\d{1,3}(\.\d{1,3}){3}(:\d+)?$|^[0-9a-f]*:[0-9a-f]*:[0-9a-f:.%\w]*$/i;
const ADDRESS_DIGITS = 8;
/** Signed tokens, and keys by the prefixes that their issuers gave them so that they can be found. */
const SECRET =
  /\beyJ[\w-]{6,512}\.[\w-]{6,512}(?:\.[\w-]{0,512})?|\b(?:sk|pk|rk|ghp|gho|ghs|xox[abp]|AKIA|ASIA|glpat|bearer)[-_ ]?[A-Za-z0-9_-]{12,512}/i;
/** Digits that may be a card's number, and others before and behind it. */
const DIGITS = /(?<![\w-])\d(?:[ -]?\d){12,127}(?![\w-])/g;
const [SHORTEST_CARD, LONGEST_CARD] = [13, 19];

const personal: readonly (readonly [RegExp, string])[] = [
  [new RegExp(SECRET, 'gi'), '{token}'],
  // Begins where a word begins, so that each word is gone through once.
  [/(?<![^\s@/=&?])[^\s@/=&?]{1,512}(?:@|%40)[^\s@/=&?]{1,512}/g, '{email}'],
  [/(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.])/g, '{ip}'],
  [/(?<![\w:])(?:[0-9a-f]{1,4}:){3,8}[0-9a-f:]{1,40}/gi, '{ip}'],
  [ADDRESS_V6, '{ip}'],
];

let pseudonymKey = randomBytes(32);

/** Sets the key of pseudonyms; without it a new one holds for this process only. */
export function usePseudonymKey(key: Buffer): void {
  pseudonymKey = Buffer.from(key);
}

/**
 * Takes  text: of any length.
 * Gives  a text that is stored as it is, without what may be personal or secret inside of it; of one longer than 512 characters
 *        the first 256.
 */
export function safeLabel(text: string): string {
  if (text.length > LONGEST_EXAMINED) return cut(safeLabel(cut(text, LONGEST_EXAMINED)), LONGEST_STORED);
  let safe = text.replace(DIGITS, withoutCards);
  for (const [pattern, name] of personal) safe = safe.replace(pattern, name);
  return safe;
}

/** As `safeLabel`, for versions: 1.2.3.4 is one. What has the digits of a public address is taken for an address. */
export function safeVersion(text: string): string {
  if (text.length > LONGEST_EXAMINED) return safeLabel(text);
  const isVersion = /^v?\d{1,5}(\.\d{1,5}){1,3}$/.test(text);
  const isShort = text.replace(/\D/g, '').length < ADDRESS_DIGITS || /\d{4}/.test(text);
  return isVersion && isShort ? text : safeLabel(text);
}

/** Gives a span's name, without ids and what may be personal. */
export function safeName(text: string): string {
  return safeLabel(templateName(text));
}

/** Gives whom a span called, as stored: a host by its name, an address only as that it was one. */
export function safePeer(text: string): string {
  if (text.length > LONGEST_EXAMINED) return safeName(text);
  const host = text.replace(/^\[|\](:\d+)?$/g, '');
  return ADDRESS.test(host) ? '{ip}' : safeName(text);
}

/** Gives a consumer's or tenant's name as stored: what is personal or secret becomes a keyed pseudonym. */
export function safeConsumer(text: string): string {
  const examined = cut(text, LONGEST_EXAMINED);
  if (isUnsafe(examined)) return pseudonymOf(text);
  return [...examined].slice(0, LONGEST_CONSUMER).join('');
}

/** Whether a text of any length is, or holds, what is personal or secret. It is looked through in parts that overlap. */
export function isPersonal(text: string): boolean {
  for (let from = 0; from === 0 || from + LONGEST_STORED < text.length; from += LONGEST_STORED) {
    if (isUnsafe(text.slice(from, from + LONGEST_EXAMINED))) return true;
  }
  return false;
}

/** Gives the name that stands for a text: the same for the same text, and only for whoever has the key. */
export function pseudonymOf(text: string): string {
  const digest = createHmac('sha256', pseudonymKey).update(text).digest('hex');
  return `p_${digest.slice(0, 20)}`;
}

function isUnsafe(examined: string): boolean {
  return ADDRESS.test(examined) || safeLabel(examined) !== examined;
}

/** Gives 32 bytes that are the same for the same bytes of the same use, and from which these cannot be found without the key. */
export function keyedHash(use: string, bytes: Uint8Array): Buffer {
  return createHmac('sha256', pseudonymKey).update(`${use}:`).update(bytes).digest();
}

/** Gives the 16 bytes by which an id of a request is kept: whoever knows the id finds it again. */
export function requestHash(id: Uint8Array): Buffer {
  return keyedHash('request', id).subarray(0, 16);
}

/** Takes  digits: with single blanks or dashes between. Gives  the text without a card's number, where there is one. */
function withoutCards(digits: string): string {
  const groups = digits.split(/[ -]/);
  const all = groups.join('');
  if (all.length <= LONGEST_CARD && isCard(all)) return '{card}';
  for (let from = 0; from < groups.length; from++) {
    let number = '';
    for (let to = from; to < groups.length && number.length < LONGEST_CARD; to++) {
      number += groups[to]!;
      if (number.length < SHORTEST_CARD || number.length > LONGEST_CARD) continue;
      if (isIssued(number) && isCard(number)) return '{card}';
    }
  }
  return digits;
}

/** Cards of people begin with 2 to 6; times, which are as long, begin with 1. */
export function isIssued(number: string): boolean {
  return /^(?:2[2-7]|[3-6])/.test(number);
}

/** The check digit of card numbers (Luhn): one in ten other numbers passes it, too. */
function isCard(digits: string): boolean {
  let sum = 0;
  [...digits.replace(/\D/g, '')].reverse().forEach((digit, place) => {
    const value = Number(digit) * (place % 2 === 1 ? 2 : 1);
    sum += value > 9 ? value - 9 : value;
  });
  return sum % 10 === 0;
}
