// What JSON writes in another way than it is; nearly no name has any of it.
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const UNUSUAL = /["\\\u0000-\u001f\ud800-\udfff]/;

/** Gives a text as JSON writes it. For names, of which millions are written and nearly none has anything to escape. */
export function quoted(text: string): string {
  return UNUSUAL.test(text) ? JSON.stringify(text) : `"${text}"`;
}
