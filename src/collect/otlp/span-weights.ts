import type { Texts } from '../../store/index.ts';
import { type Weight, type WeightFallback, weightFromPower, weightFromRate, weightFromTraceState } from '../weight.ts';
import { numberSlot } from './attributes.ts';
import type { SpanDraft } from './span-draft.ts';

/** W3C ends a tracestate at 512 characters; half of a longer one might say something else. */
const LONGEST_TRACE_STATE = 512;
const rateSlot = numberSlot('SampleRate');

/** What spans stand for that were sampled. Senders use a handful of tracestates; the exact division is done once for each. */
export class SpanWeights {
  readonly #texts: Texts;
  readonly #fallbacks: ReadonlySet<WeightFallback>;
  /** By number of the tracestate. */
  readonly #known: (Weight | undefined)[] = [];

  constructor(texts: Texts, fallbacks: readonly WeightFallback[]) {
    this.#texts = texts;
    this.#fallbacks = new Set(fallbacks);
  }

  /** To be called whenever the texts are cleared. */
  clear(): void {
    this.#known.length = 0;
  }

  /** Null where a span says nothing. */
  of(draft: SpanDraft): Weight | null {
    const length = draft.traceStateEnd - draft.traceStateAt;
    const said = length > 0 && length <= LONGEST_TRACE_STATE ? this.#traceStateWeight(draft) : null;
    if (said?.isKnown || !this.#fallbacks.has('SampleRate')) return said;
    return weightFromRate(draft.attributes.number(rateSlot)) ?? said;
  }

  #traceStateWeight({ source, traceStateAt, traceStateEnd }: SpanDraft): Weight {
    const id = this.#texts.idOf(source, traceStateAt, traceStateEnd);
    this.#known[id] ??= this.#weightFrom(this.#texts.string(id));
    return this.#known[id]!;
  }

  #weightFrom(traceState: string): Weight {
    const said = weightFromTraceState(traceState);
    return said.isKnown || !this.#fallbacks.has('p') ? said : (weightFromPower(traceState) ?? said);
  }
}
