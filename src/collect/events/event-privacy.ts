import { isIssued, isPersonal, pseudonymOf } from '../privacy.ts';
import { withExactNumbers, withTexts } from './json-spans.ts';
import type { MeterEvent } from './meter-event.ts';

/**
 * What is kept of events: `safe`, their texts, but pseudonyms of those that are personal or secret; `pseudonym`, the same, and of
 * every subject a pseudonym; `sent`, everything as it was sent.
 */
export const eventPrivacies = ['safe', 'pseudonym', 'sent'] as const;
export type EventPrivacy = (typeof eventPrivacies)[number];

/** Without any of these no text of JSON is personal; with one it may be. */
const PERHAPS =
  /@|%40|\\u|eyJ|\d\.\d{1,3}\.\d{1,3}\.\d|:[0-9a-f]{0,4}:|\d(?:[ -]?\d){12}|(?:[spr]k|gh[pos]|xox[abp]|AKIA|ASIA|glpat|bearer)[-_ ]?[\w-]{12}/i;
const NUMBER = /^[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const PSEUDONYM = /^p_[0-9a-f]{20}$/;

/**
 * Makes the texts of events what is kept of them.
 *
 * Holds  the same text becomes the same, so that meters count, group and tell apart what they would have; a question that is made
 *        the same finds it. Numbers stay numbers.
 */
export class EventTexts {
  readonly #privacy: EventPrivacy;

  constructor(privacy: EventPrivacy) {
    this.#privacy = privacy;
  }

  event(event: MeterEvent): MeterEvent {
    if (this.#privacy === 'sent') return event;
    const { id, source, type, dataschema } = event;
    const data = this.#data(event.data);
    return {
      ...{ id: this.text(id), source: this.text(source), type: this.text(type), dataschema: this.text(dataschema) },
      ...{ time: event.time, subject: this.subject(event.subject) },
      ...{ data, exact: data === event.data ? event.exact : withExactNumbers(data) },
    };
  }

  subject(subject: string): string {
    // One that was read in an answer may be asked about.
    const isAsked = PSEUDONYM.test(subject);
    return this.#privacy === 'pseudonym' && !isAsked ? pseudonymOf(subject) : this.text(subject);
  }

  /** Any other text of an event. */
  text(text: string): string {
    return this.#privacy !== 'sent' && isPersonal(text) ? pseudonymOf(text) : text;
  }

  /** Quantities may be sent as texts: only one that is surely a card's number is none. */
  #data(data: string): string {
    if (!PERHAPS.test(data)) return data;
    return withTexts(data, (text) => (isQuantity(text) ? text : this.text(text)));
  }
}

/** A whole number as long as a card's may be one. */
function isQuantity(text: string): boolean {
  return NUMBER.test(text) && !(/^\d{13,19}$/.test(text) && isIssued(text));
}
