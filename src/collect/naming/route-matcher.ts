interface Node {
  readonly segments: Map<string, Node>;
  /** Below a place: any segment. */
  place: Node | null;
  /** Routes that end here, by method; `*` takes every method. */
  readonly routes: Map<string, string>;
}

const MOST_SEGMENTS = 32;

/** Finds the route of a raw path among the routes of an API. */
export class RouteMatcher {
  readonly #top = newNode();
  readonly isEmpty: boolean;

  /** Takes  routes: `GET /v1/users/{id}`; `*` for any method. */
  constructor(routes: readonly string[]) {
    this.isEmpty = routes.length === 0;
    for (const route of routes) this.#add(route);
  }

  /**
   * Takes  path: as sent; query and fragment are cut off.
   * Gives  the route's path, `/v1/users/{id}`; null when the path is none of the API's.
   * Holds  a written segment is preferred to a place, from left to right.
   */
  match(method: string, path: string): string | null {
    const segments = segmentsOf(path);
    return segments.length > MOST_SEGMENTS ? null : find(this.#top, segments, 0, method.toUpperCase());
  }

  #add(route: string): void {
    const [method, path] = [route.slice(0, route.indexOf(' ')), route.slice(route.indexOf(' ') + 1)];
    let node = this.#top;
    for (const segment of segmentsOf(path)) {
      if (/[{*:]/.test(segment)) {
        node.place ??= newNode();
        node = node.place;
        continue;
      }
      const next = node.segments.get(segment) ?? newNode();
      node.segments.set(segment, next);
      node = next;
    }
    if (!node.routes.has(method)) node.routes.set(method, path);
  }
}

function newNode(): Node {
  return { segments: new Map(), place: null, routes: new Map() };
}

function segmentsOf(path: string): string[] {
  return (path.split(/[?#]/, 1)[0] ?? '').split('/').filter((segment) => segment !== '');
}

function find(node: Node, segments: readonly string[], at: number, method: string): string | null {
  if (at === segments.length) return node.routes.get(method) ?? node.routes.get('*') ?? null;
  const written = node.segments.get(segments[at]!);
  const found = written === undefined ? null : find(written, segments, at + 1, method);
  if (found !== null) return found;
  return node.place === null ? null : find(node.place, segments, at + 1, method);
}
