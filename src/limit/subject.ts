/** From the widest to the narrowest: whose counter a policy keeps. */
export const levels = ['organisation', 'tenant', 'consumer', 'endpoint'] as const;
export type Level = (typeof levels)[number];

/** Who calls what. Without an organisation a tenant is its own; the empty text is somebody or something unnamed. */
export interface Subject {
  readonly organisation: string;
  readonly tenant: string;
  readonly consumer: string;
  /** Method and route template: `GET /v1/users/{id}`. */
  readonly endpoint: string;
}

export const LONGEST_NAME = 512;

// Keys go into headers, logs and stores: a line end or a separator in one could pretend to be another.
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\ud800-\udfff]/;
// Pairs of surrogates are characters; only halves of them are not.
const PAIRS = /[\ud800-\udbff][\udc00-\udfff]/g;

/** Says whether a text may name a part of a subject: at most 512 characters, no control characters. */
export function isName(text: string): boolean {
  if (text.length > LONGEST_NAME) return false;
  return !CONTROL.test(text) || !CONTROL.test(text.replace(PAIRS, ''));
}

/** Completes a subject: a tenant that is in no organisation is its own. */
export function subjectOf(parts: Partial<Subject>): Subject {
  const { tenant = '', consumer = '', endpoint = '' } = parts;
  return { organisation: parts.organisation || tenant, tenant, consumer, endpoint };
}
