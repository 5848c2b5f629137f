import { readFile, stat } from 'node:fs/promises';
import { extname, join, normalize, sep } from 'node:path';

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.json': 'application/json',
  '.map': 'application/json',
  '.woff2': 'font/woff2',
  '.txt': 'text/plain; charset=utf-8',
};

const contentSecurityPolicy =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

/** Whether a path may be a file of the dashboards. */
export function isPagePath(path: string): boolean {
  return !/^\/(api|v1|metrics|authz)(\/|$)/.test(path);
}

/** Whether a path is one, however else it could be spelled: nothing that a router would decode or shorten to another path. */
export function isPlainPagePath(path: string): boolean {
  return /^\/[\w./~-]*$/.test(path) && !/\/[./]/.test(path) && isPagePath(path);
}

/**
 * Answers with a file of the dashboards; paths without an extension are pages of the one application.
 *
 * Gives  null when there is no such file, or the dashboards were not built.
 */
export async function pageResponse(folder: string, path: string): Promise<Response | null> {
  const relative = normalize(decoded(path)).replace(/^[/\\]+/, '');
  if (relative.split(sep).includes('..') || relative.includes('\0')) return null;
  const wanted = extname(relative) === '' ? 'index.html' : relative;
  const file = join(folder, wanted);
  try {
    if (!(await stat(file)).isFile()) return null;
    const isHashed = wanted.startsWith(`assets${sep}`);
    return new Response(new Uint8Array(await readFile(file)), {
      headers: {
        'content-type': types[extname(file)] ?? 'application/octet-stream',
        'cache-control': isHashed ? 'public, max-age=31536000, immutable' : 'no-cache',
        'content-security-policy': contentSecurityPolicy,
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
      },
    });
  } catch {
    return null;
  }
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return '\0';
  }
}
