import { BAD_TIME, dayUs, fractionAt, NO_TIME, timeOfDayUs, twoDigits, zoneAt } from './calendar.ts';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const FULL_LENGTH = '10/Oct/2000:13:55:36 -0700'.length;
const DAY_LENGTH = '10/Oct/2000'.length;

/** Reads the times of the common log format. Lines of one second share their text, and lines of one day their date. */
export class ClfClock {
  /** Where the time that was read last ends. */
  end = 0;
  #text = '\0';
  #us = NO_TIME;
  #dayText = '\0';
  #dayUs = NO_TIME;

  /**
   * Takes  at: where `10/Oct/2000:13:55:36 -0700` begins; a fraction of the second may be there, a zone may be missing (UTC).
   * Gives  microseconds since 1970 UTC; NO_TIME, BAD_TIME.
   */
  read(line: string, at: number): number {
    if (line.startsWith(this.#text, at)) {
      this.end = at + this.#text.length;
      return this.#us;
    }
    const us = this.#read(line, at);
    if (us === NO_TIME || us === BAD_TIME || this.end !== at + FULL_LENGTH) return us;
    this.#text = line.slice(at, this.end);
    this.#us = us;
    return us;
  }

  #read(line: string, at: number): number {
    const marks = line.charCodeAt(at + 2) === 47 && line.charCodeAt(at + 11) === 58 && line.charCodeAt(at + 14) === 58;
    if (!marks || line.charCodeAt(at + 17) !== 58) return NO_TIME;
    const [hour, minute, second] = [twoDigits(line, at + 12), twoDigits(line, at + 15), twoDigits(line, at + 18)];
    if (hour < 0 || minute < 0 || second < 0) return NO_TIME;
    const day = this.#day(line, at);
    const { us, end } = fractionAt(line, at + 20);
    const zone = zoneAt(line, end + 1);
    this.end = zone?.end ?? end;
    const time = timeOfDayUs(hour, minute, second);
    if (day < 0) return day;
    return time === BAD_TIME ? time : day + time + us - (zone?.us ?? 0);
  }

  #day(line: string, at: number): number {
    if (line.startsWith(this.#dayText, at)) return this.#dayUs;
    const day = twoDigits(line, at);
    const century = twoDigits(line, at + 7);
    const year = twoDigits(line, at + 9);
    if (day < 0 || century < 0 || year < 0 || line.charCodeAt(at + 6) !== 47) return NO_TIME;
    this.#dayUs = dayUs(century * 100 + year, MONTHS.indexOf(line.slice(at + 3, at + 6)) + 1, day);
    this.#dayText = line.slice(at, at + DAY_LENGTH);
    return this.#dayUs;
  }
}
