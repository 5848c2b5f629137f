import { logFormats } from './formats.ts';
import { type LineParser, LONGEST_LINE, type LogFormat, type LogLine } from './log-line.ts';

/** Every line of an access log has a status, and three digits in a row are rarer than texts of programs. */
const STATUS = /(?:^|[^\d])[1-5]\d\d(?:[^\d]|$)/;
/** One of these stands in the name of a field with the status in every JSON format. */
const JSON_STATUS = /tatus|response_code/;

/**
 * Recognises single lines of access logs among other texts, each by itself: what comes before and after it may differ when
 * it is sent again.
 */
export class LineRecogniser {
  readonly #formats: readonly { readonly format: LogFormat; readonly parser: LineParser }[];

  constructor() {
    this.#formats = logFormats.map((format) => ({ format, parser: format.open() }));
  }

  /** Gives the call that a text tells of, by the first format that it is typical of; null when it is no such line. */
  line(text: string): LogLine | null {
    if (text.length > LONGEST_LINE || !STATUS.test(text)) return null;
    const raw = text.trimEnd();
    if (raw.includes('\n') || (raw.startsWith('{') && !JSON_STATUS.test(raw))) return null;
    for (const { format, parser } of this.#formats) {
      const parsed = parser.parse(raw);
      if (typeof parsed === 'object' && (format.isTypical?.(parsed, raw) ?? true)) return parsed;
    }
    return null;
  }
}
