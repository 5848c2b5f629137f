const LONGEST_TEMPLATE = 200;
const MOST_SEGMENTS = 12;
/** Beyond this nothing of a path or a name is looked at: expressions take long on what only an attacker sends. */
const LONGEST_PATH = 4_096;
const LONGEST_NAME = 512;
const LONGEST_SEGMENT = 256;

/** Addresses with `::` inside a text. A digit is asked for, so that names such as `Feed::Add` stay what they are. */
export const ADDRESS_V6 =
  /(?<!\w)(?=[0-9a-f:]{0,48}\d)(?:(?:[0-9a-f]{1,4}:){1,7}:(?:[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){0,6})?|::[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){0,6})(?:(?:\.\d{1,3}){3})?(?:%\w{1,32})?(?![\w:])/gi;

const segmentRules: readonly (readonly [RegExp, string])[] = [
  [/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i, '{id}'],
  [/^\d{4}-\d{2}-\d{2}(T.*)?$/, '{date}'],
  [/[^@](@|%40)[^@]/i, '{email}'],
  [/^\d{1,3}(\.\d{1,3}){3}$/, '{ip}'],
  // As in ADDRESS_V6, for a whole segment, where colons and brackets may be encoded.
  [
    /^(?=.*\d)(?=.*(?::|%3A){2})(?:\[|%5B)?(?:[0-9a-f]{0,4}(?::|%3A)){2,8}[0-9a-f.]{0,15}(?:%\w{1,32})?(?:\]|%5D)?(?::\d{1,5})?$/i,
    '{ip}',
  ],
  [/^\d+$/, '{id}'],
  [/^[0-9a-f]{8,}$/i, '{id}'],
  [/^(?=.*\d)[\w~.:=+-]{16,}$/, '{id}'],
  [/^[A-Za-z]{0,12}[-_]?\d{2,}$/, '{id}'],
  [/^(?=.*\d.*\d.*\d)[\w-]{6,}$/, '{id}'],
  [/^[\s\S]{61,}$/, '{id}'],
];

/** Route words that look like ids but name a version or a protocol. */
const KEPT = /^(v\d{1,3}(\.\d{1,3})?|oauth2|s3|http2|web3|sha256|md5|base64|utf8|ec2)$/i;

/**
 * Turns a raw path into a route template, so that ids never become endpoints and personal data is not stored.
 *
 * Takes  path: as sent, query and fragment are cut off.
 * Gives  `/v1/users/{id}`; at most 12 segments and 200 characters, beyond that `/…`.
 * Holds  a template is its own template; random ids of one shape give one template.
 */
export function templatePath(path: string): string {
  const bare = cut(path, LONGEST_PATH).split(/[?#;]/, 1)[0] ?? '';
  const segments = bare.split('/').filter((segment) => segment.length > 0);
  const kept = segments.slice(0, MOST_SEGMENTS).map(templateSegment);
  const template = `/${kept.join('/')}${segments.length > MOST_SEGMENTS ? '/…' : ''}`;
  return template.length > LONGEST_TEMPLATE ? `${template.slice(0, LONGEST_TEMPLATE - 1)}…` : template;
}

/** A place in a route: `{id}`, `{proxy+}`. Braces around anything else protect nothing. */
const PLACE = /^\{[\w.:*+-]{1,60}\}$/;

function templateSegment(whole: string): string {
  const segment = cut(whole, LONGEST_SEGMENT);
  if (KEPT.test(segment) || PLACE.test(segment)) return segment;
  for (const [pattern, name] of segmentRules) if (pattern.test(segment)) return name;
  return segment;
}

/** Makes a span's name safe to store: URLs, paths and words inside it lose their hosts, queries and ids. */
export function templateName(name: string): string {
  const words = cut(name, LONGEST_NAME).split(' ').slice(0, 6);
  return cut(words.map(templateWord).join(' '), LONGEST_TEMPLATE);
}

function templateWord(word: string): string {
  const scheme = word.indexOf('://');
  if (scheme >= 0) return templatePath(word.slice(scheme + 3).replace(/^[^/?#]*/, ''));
  if (word.startsWith('/')) return templatePath(word);
  const query = word.search(/[?#]/);
  // A word that is no more than a mark, or ends in one, has no query.
  return templateSegment(query > 0 && query < word.length - 1 ? word.slice(0, query) : word);
}

/** A route without its query. What is behind a `?` that only marks a part as optional, as in `/:id?/edit`, stays. */
export function bareRoute(route: string): string {
  const query = route.search(/(?<!\()\?(?=[^/().?*+$|])/);
  return query < 0 ? route : route.slice(0, query);
}

/** The beginning of a text, cut between characters. */
export function cut(text: string, longest: number): string {
  if (text.length <= longest) return text;
  const last = text.charCodeAt(longest - 1);
  return text.slice(0, last >= 0xd800 && last < 0xdc00 ? longest - 1 : longest);
}
