/** What a service does for a call, one step after the other. Durations are means in microseconds. */
export type Step =
  /** Asks another service: a CLIENT span here, a SERVER span with its own steps there. */
  | {
      readonly does: 'ask';
      readonly service: string;
      readonly method: string;
      readonly workUs: number;
      readonly steps: readonly Step[];
    }
  /** Waits for a database: a CLIENT span. */
  | { readonly does: 'query'; readonly system: string; readonly summary: string; readonly tookUs: number }
  /** Waits for somebody else's API: a CLIENT span without a child. */
  | {
      readonly does: 'vendor';
      readonly host: string;
      readonly path: string;
      readonly tookUs: number;
      readonly tokens?: Tokens;
    }
  /** Leaves a message: a PRODUCER span here, and later a CONSUMER span of the worker that links to it. */
  | { readonly does: 'publish'; readonly queue: string; readonly workUs: number; readonly steps: readonly Step[] };

/** What a call to a language model uses, on average. */
export interface Tokens {
  readonly model: string;
  readonly input: number;
  readonly output: number;
}

export type Publish = Extract<Step, { does: 'publish' }>;

export function ask(service: string, method: string, workUs: number, ...steps: readonly Step[]): Step {
  return { does: 'ask', service, method, workUs, steps };
}

export function query(summary: string, tookUs: number, system = 'postgresql'): Step {
  return { does: 'query', system, summary, tookUs };
}

export function vendor(host: string, path: string, tookUs: number, tokens?: Tokens): Step {
  return { does: 'vendor', host, path, tookUs, tokens };
}

export function publish(queue: string, workUs: number, ...steps: readonly Step[]): Step {
  return { does: 'publish', queue, workUs, steps };
}
