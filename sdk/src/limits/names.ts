export const LONGEST_NAME = 512;

// Whoever chooses a name must not be able to pretend to be another, or to make the question one that cannot be answered.
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\ud800-\udfff]/;
const PAIRS = /[\ud800-\udbff][\udc00-\udfff]/g;

/** Says whether Taximeter takes a text as a name of a tenant, a consumer or an endpoint. */
export function isName(text: string): boolean {
  if (text.length > LONGEST_NAME) return false;
  return !CONTROL.test(text) || !CONTROL.test(text.replace(PAIRS, ''));
}
