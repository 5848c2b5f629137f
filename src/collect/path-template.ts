const LONGEST_TEMPLATE = 200;
const MOST_SEGMENTS = 12;

const segmentRules: readonly (readonly [RegExp, string])[] = [
  [/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i, '{id}'],
  [/^\d{4}-\d{2}-\d{2}(T.*)?$/, '{date}'],
  [/[^@](@|%40)[^@]/i, '{email}'],
  [/^\d{1,3}(\.\d{1,3}){3}$/, '{ip}'],
  [/^\d+$/, '{id}'],
  [/^[0-9a-f]{8,}$/i, '{id}'],
  [/^(?=.*\d)[\w~.:=+-]{16,}$/, '{id}'],
  [/^[A-Za-z]{0,12}[-_]?\d{2,}$/, '{id}'],
  [/^(?=.*\d.*\d.*\d)[\w-]{6,}$/, '{id}'],
  [/^.{61,}$/, '{id}'],
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
  const bare = path.split(/[?#;]/, 1)[0] ?? '';
  const segments = bare.split('/').filter((segment) => segment.length > 0);
  const kept = segments.slice(0, MOST_SEGMENTS).map(templateSegment);
  const template = `/${kept.join('/')}${segments.length > MOST_SEGMENTS ? '/…' : ''}`;
  return template.length > LONGEST_TEMPLATE ? `${template.slice(0, LONGEST_TEMPLATE - 1)}…` : template;
}

/** A place in a route: `{id}`, `{proxy+}`. Braces around anything else protect nothing. */
const PLACE = /^\{[\w.:*+-]{1,60}\}$/;

function templateSegment(segment: string): string {
  if (KEPT.test(segment) || PLACE.test(segment)) return segment;
  for (const [pattern, name] of segmentRules) if (pattern.test(segment)) return name;
  return segment;
}

/** Makes a span's name safe to store: paths and words inside it lose their ids. */
export function templateName(name: string): string {
  const words = name.split(' ').slice(0, 6);
  return words
    .map((word) => (word.startsWith('/') ? templatePath(word) : templateSegment(word)))
    .join(' ')
    .slice(0, LONGEST_TEMPLATE);
}
