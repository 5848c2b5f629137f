/** What makes a text a glob and not the name of a file. */
const SIGNS = /[*?[{]/;

export function isGlob(text: string): boolean {
  return SIGNS.test(text);
}

/**
 * Makes the rule of a glob as shells know it: `*` and `?` within a name, `**` over folders, `[a-z]`, `[!a]`, `{a,b}`.
 *
 * Holds  a path matches as a whole; names that begin with a dot match like others.
 */
export function globPattern(glob: string): RegExp {
  let pattern = '';
  let braces = 0;
  for (let at = 0; at < glob.length; at++) {
    const sign = glob[at]!;
    if (glob.startsWith('**/', at)) {
      pattern += '(?:.*/)?';
      at += 2;
    } else if (glob.startsWith('**', at)) {
      pattern += '.*';
      at += 1;
    } else if (sign === '*') pattern += '[^/]*';
    else if (sign === '?') pattern += '[^/]';
    else if (sign === '[' && glob.indexOf(']', at + 2) > 0) {
      const end = glob.indexOf(']', at + 2);
      pattern += classOf(glob.slice(at + 1, end));
      at = end;
    } else if (sign === '{' && glob.indexOf('}', at) > 0) {
      pattern += '(?:';
      braces += 1;
    } else if (sign === '}' && braces > 0) {
      pattern += ')';
      braces -= 1;
    } else if (sign === ',' && braces > 0) pattern += '|';
    else pattern += sign.replace(/[\\^$.*+?()[\]{}|]/, '\\$&');
  }
  return new RegExp(`^${pattern}$`, 's');
}

function classOf(members: string): string {
  const isNot = members.startsWith('!') || members.startsWith('^');
  const escaped = (isNot ? members.slice(1) : members).replace(/[\\\]^]/g, '\\$&');
  return `[${isNot ? '^' : ''}${escaped}]`;
}

/** The folder in which a glob begins to be one: `/var/log` of `/var/log/*.log`; `.` where nothing stands before. */
export function globRoot(glob: string): string {
  const before = glob.slice(0, glob.search(SIGNS));
  const end = before.lastIndexOf('/');
  return end < 0 ? '.' : before.slice(0, end) || '/';
}
