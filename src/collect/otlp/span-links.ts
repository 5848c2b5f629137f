import { SpanKind } from '../../model/index.ts';
import { requestHash } from '../privacy.ts';
import { LINK_WORDS } from '../table/span-table.ts';
import type { Slot } from './attributes.ts';
import { firstText } from './first-slot.ts';
import type { AttributeSlots, SpanDraft } from './span-draft.ts';
import { isServed } from './span-quantities.ts';

const SHORTEST_REQUEST_ID = 8;
const LONGEST_REQUEST_ID = 256;

/**
 * Gives what a span says of other traces, as a row's links keep it; null for nothing, which is what most say.
 *
 * Takes  isTop: whether it has no parent. requests: the places of ids of requests.
 */
export function linksOf(draft: SpanDraft, isTop: boolean, requests: readonly Slot[]): Uint32Array | null {
  const { links, kind, attributes } = draft;
  const request = isTop || isServed(kind) ? firstText(attributes, requests) : -1;
  if (links.length === 0 && request < 0) return null;
  // Only of a consumer without a parent do links say whose work it is.
  const kept = kind === SpanKind.CONSUMER && isTop ? spanLinks(links) : [];
  if (request >= 0) kept.push(...requestLink(attributes, request));
  return kept.length > 0 ? Uint32Array.from(kept) : null;
}

/** A link to no span leads nowhere, whatever trace it names; the form is that of a request's id otherwise. */
function spanLinks(links: readonly number[]): number[] {
  const kept = [...links];
  for (let at = 0; at < kept.length; at += LINK_WORDS) {
    if ((kept[at + 4]! | kept[at + 5]!) === 0) kept.fill(0, at, at + LINK_WORDS);
  }
  return kept;
}

/** An id of a few characters is likely another thing, such as a number in a session; so is one that goes on and on. */
function requestLink({ sources, starts, ends }: AttributeSlots, slot: Slot): readonly number[] {
  const [start, end] = [starts[slot]!, ends[slot]!];
  if (end - start < SHORTEST_REQUEST_ID || end - start > LONGEST_REQUEST_ID) return [];
  const hash = requestHash(sources[slot]!.subarray(start, end));
  return [0, 4, 8, 12].map((at) => hash.readUInt32LE(at)).concat(0, 0);
}
