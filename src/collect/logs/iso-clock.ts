import {
  BAD_TIME,
  dayUs,
  fractionEnd,
  fractionUs,
  NO_TIME,
  SECOND_US,
  timeOfDayUs,
  twoDigits,
  zoneAt,
} from './calendar.ts';

const MINUTE_LENGTH = '2018-07-02T22:23'.length;

/** Reads times such as `2018-07-02T22:23:00.186641Z`. Lines of one minute share the beginning of their text. */
export class IsoClock {
  /** Where the time that was read last ends. */
  end = 0;
  #minuteText = '\0';
  #minuteUs = NO_TIME;

  /**
   * Takes  at: where the time begins; a space may stand for the T, and a time without a zone is UTC.
   * Gives  microseconds since 1970 UTC; NO_TIME, BAD_TIME.
   */
  read(text: string, at = 0): number {
    const minute = text.startsWith(this.#minuteText, at) ? this.#minuteUs : this.#minute(text, at);
    const second = twoDigits(text, at + 17);
    if (minute === NO_TIME || second < 0 || text.charCodeAt(at + 16) !== 58) return NO_TIME;
    const fraction = fractionEnd(text, at + 19);
    let east = 0;
    this.end = fraction;
    if (text.charCodeAt(fraction) === 90) this.end += 1;
    else {
      const zone = zoneAt(text, fraction);
      if (zone) [east, this.end] = [zone.us, zone.end];
    }
    if (minute === BAD_TIME || second > 60) return BAD_TIME;
    return minute + second * SECOND_US + fractionUs(text, at + 19, fraction) - east;
  }

  /** The whole of a text as a time. */
  readAll(text: string): number {
    const us = this.read(text);
    return us !== NO_TIME && this.end !== text.length ? NO_TIME : us;
  }

  #minute(text: string, at: number): number {
    const mark = text.charCodeAt(at + 10);
    const isDate = text.charCodeAt(at + 4) === 45 && text.charCodeAt(at + 7) === 45 && (mark === 84 || mark === 32);
    if (!isDate || text.charCodeAt(at + 13) !== 58) return NO_TIME;
    const [century, year] = [twoDigits(text, at), twoDigits(text, at + 2)];
    const [month, day] = [twoDigits(text, at + 5), twoDigits(text, at + 8)];
    const [hour, minute] = [twoDigits(text, at + 11), twoDigits(text, at + 14)];
    if (Math.min(century, year, month, day, hour, minute) < 0) return NO_TIME;
    const midnight = dayUs(century * 100 + year, month, day);
    const time = timeOfDayUs(hour, minute, 0);
    this.#minuteText = text.slice(at, at + MINUTE_LENGTH);
    this.#minuteUs = midnight < 0 || time < 0 ? BAD_TIME : midnight + time;
    return this.#minuteUs;
  }
}
