import type { CompiledPolicy } from '../policy/compile.ts';
import { mayMeet } from '../policy/covers.ts';
import type { Level, Subject } from '../subject.ts';
import { type Facts, type Note, notesOf } from './notes.ts';
import { wordsOf } from './words.ts';

export interface ExplainedLimit {
  readonly id: string;
  /** What it allows, in words. */
  readonly words: string;
  readonly isEnforced: boolean;
}

export interface ExplainedPolicy {
  readonly name: string;
  readonly version: number;
  /** Place in which it is looked at: the widest levels first, then by name. */
  readonly order: number;
  readonly per: readonly Level[];
  readonly limits: readonly ExplainedLimit[];
  /** Other policies that may be asked about the same call. All of them are taken together, or none. */
  readonly togetherWith: readonly string[];
}

export interface Explanation {
  readonly policies: readonly ExplainedPolicy[];
  readonly notes: readonly Note[];
}

/**
 * Says in words which policies there are, in which order they are looked at, and what of them cannot be meant. Pure.
 *
 * Takes  subject: only policies that concern it, with what they allow it; an empty name matches what has none. null: all.
 */
export function explainPolicies(
  policies: readonly CompiledPolicy[],
  subject: Subject | null,
  facts: Facts,
): Explanation {
  const shown = policies.filter((policy) => subject === null || policy.matches(subject));
  return {
    policies: shown.map((policy, place) => ({
      ...{ name: policy.name, version: policy.version, order: place + 1, per: policy.per },
      limits: policy.limits.map((limit) => ({
        id: limit.id,
        words: wordsOf(limit, subject, facts.nowUs),
        isEnforced: subject === null ? policy.spec.mode === 'enforce' : policy.isEnforcedFor(subject),
      })),
      togetherWith: shown
        .filter((other) => other !== policy && mayMeet(policy.spec.match, other.spec.match))
        .map(({ name }) => name),
    })),
    notes: notesOf(shown, facts),
  };
}
