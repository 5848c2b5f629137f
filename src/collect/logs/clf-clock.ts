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

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const SLASH = 47;
const COLON = 58;
const SPACE = 32;
const PLUS = 43;
const MINUS = 45;
const ASCII_END = 128;

/** Reads the times of the common log format. Lines of one day share their midnight. */
export class ClfClock {
  /** Where the time that was read last ends. */
  end = 0;
  #dayKey = -1;
  #dayUs = NO_TIME;
  #afterSecondsUs = 0;

  /**
   * Takes  at: where `10/Oct/2000:13:55:36 -0700` begins; a fraction of the second may be there, a zone may be missing (UTC).
   * Gives  microseconds since 1970 UTC; NO_TIME, BAD_TIME.
   */
  read(line: string, at: number): number {
    if (line.charCodeAt(at + 2) !== SLASH || line.charCodeAt(at + 11) !== COLON) return NO_TIME;
    const hour = twoDigits(line, at + 12);
    const minute = twoDigits(line, at + 15);
    const second = twoDigits(line, at + 18);
    const hasMarks = line.charCodeAt(at + 14) === COLON && line.charCodeAt(at + 17) === COLON;
    if (!hasMarks || hour < 0 || minute < 0 || second < 0) return NO_TIME;
    const day = this.#day(line, at);
    this.#readAfterSeconds(line, at + 20);
    if (day < 0) return day;
    const time = timeOfDayUs(hour, minute, second);
    return time === BAD_TIME ? time : day + time + this.#afterSecondsUs;
  }

  #day(line: string, at: number): number {
    const day = twoDigits(line, at);
    const century = twoDigits(line, at + 7);
    const year = twoDigits(line, at + 9);
    const [one, two, three] = [line.charCodeAt(at + 3), line.charCodeAt(at + 4), line.charCodeAt(at + 5)];
    const isDate = day >= 0 && century >= 0 && year >= 0 && line.charCodeAt(at + 6) === SLASH;
    if (!isDate || one >= ASCII_END || two >= ASCII_END || three >= ASCII_END) return NO_TIME;
    // A number that tells every such text from every other one.
    const key = (((one * ASCII_END + two) * ASCII_END + three) * 100 + day) * 10_000 + century * 100 + year;
    if (key === this.#dayKey) return this.#dayUs;
    this.#dayKey = key;
    this.#dayUs = dayUs(century * 100 + year, MONTHS.indexOf(line.slice(at + 3, at + 6)) + 1, day);
    return this.#dayUs;
  }

  /** A fraction and a zone: mostly none and ` +0200`. */
  #readAfterSeconds(line: string, at: number): void {
    const sign = line.charCodeAt(at + 1);
    const hours = twoDigits(line, at + 2);
    const minutes = twoDigits(line, at + 4);
    const isZone = line.charCodeAt(at) === SPACE && (sign === PLUS || sign === MINUS);
    if (isZone && hours >= 0 && hours <= 23 && minutes >= 0 && minutes <= 59) {
      const east = (hours * 60 + minutes) * 60 * SECOND_US;
      this.#afterSecondsUs = sign === MINUS ? east : -east;
      this.end = at + 6;
    } else this.#readUnusual(line, at);
  }

  #readUnusual(line: string, at: number): void {
    const end = fractionEnd(line, at);
    const zone = line.charCodeAt(end) === SPACE ? zoneAt(line, end + 1) : null;
    this.end = zone?.end ?? end;
    this.#afterSecondsUs = fractionUs(line, at, end) - (zone?.us ?? 0);
  }
}
