/** Plain text in the address, no JSON: a tenant called 007 stays the text that it is. */
export function searchFromText(text: string): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(text));
}

export function textFromSearch(search: Readonly<Record<string, unknown>>): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(search)) if (typeof value === 'string') params.set(name, value);
  const text = params.toString();
  return text === '' ? '' : `?${text}`;
}
