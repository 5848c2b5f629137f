import type { IncomingMessage } from 'node:http';
import type { Call, RouteOf } from './call.ts';
import type { TaximeterOptions } from './options.ts';
import { rawHeader } from './spans/trace-parent.ts';

/**
 * Finds out whose a call is and what it was, by what the program has said of it or told us to ask.
 *
 * Holds  what the program throws at it, it does not throw: it is told, and the name is empty.
 */
export class CallNames {
  readonly #options: TaximeterOptions;
  readonly #untold: (what: string, cause: unknown) => void;

  constructor(options: TaximeterOptions, untold: (what: string, cause: unknown) => void) {
    this.#options = options;
    this.#untold = untold;
  }

  /** Names a call, unless a handler has done so. */
  name(call: Call): void {
    const { tenant, consumer } = this.#options;
    if (tenant !== undefined || call.tenant !== '') call.tenant = this.#nameOf(call, 'tenant', call.tenant, tenant);
    if (consumer !== undefined || call.consumer !== '')
      call.consumer = this.#nameOf(call, 'consumer', call.consumer, consumer);
  }

  routeOf({ source, routeOf }: Call): string {
    try {
      return String((routeOf as RouteOf<unknown>)(source) ?? '');
    } catch (cause) {
      this.#untold('the route', cause);
      return '';
    }
  }

  /** Whoever says a name, it becomes a text here: ids of a database are numbers, and everything behind this counts on texts. */
  #nameOf(call: Call, what: string, said: unknown, from: TaximeterOptions['tenant']): string {
    if (typeof said === 'string' && said !== '') return said;
    const isSaid = said !== '' && said !== null && said !== undefined;
    if (!isSaid && typeof from === 'string') return utf8(rawHeader(call.request, from) ?? '');
    try {
      const { request, source } = call;
      return String((isSaid || typeof from !== 'function' ? said : from(request, source)) ?? '');
    } catch (cause) {
      this.#untold(what, cause);
      return '';
    }
  }
}

/** Without the query: what is in it is nobody's business here. Express changes `url` on its way. */
export function pathOf(request: IncomingMessage): string {
  const { originalUrl, url = '/' } = request as IncomingMessage & { originalUrl?: string };
  return (originalUrl ?? url).split('?', 1)[0]!;
}

/** Node reads headers as Latin-1. */
function utf8(text: string): string {
  for (let at = 0; at < text.length; at++)
    if (text.charCodeAt(at) > 0x7f) return Buffer.from(text, 'latin1').toString('utf8');
  return text;
}
