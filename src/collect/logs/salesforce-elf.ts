import { csvRow } from './csv-row.ts';
import { type LineParser, LONGEST_LINE, type LogFormat, type Parsed } from './log-line.ts';
import { salesforceLine } from './salesforce-event.ts';

/** Where a row begins: with its first column, the name of an event. Nothing inside a field looks like this. */
const ROW_START = /^"?[A-Za-z]\w{1,60}"?,"?\d{8,14}/;
const HEADER = /^\uFEFF?"?EVENT_TYPE"?,/;

/**
 * Event Log Files of Salesforce. The columns differ by event and release, so they are read from the first row.
 *
 * From   https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_eventlogfile_supportedeventtypes.htm
 */
export const salesforceElf: LogFormat = {
  name: 'salesforce-elf',
  aliases: ['salesforce'],
  open(head = '') {
    const reader = new EventReader();
    const header = head.split(/\r?\n/, 20).find((line) => HEADER.test(line));
    if (header !== undefined) reader.parse(header);
    return reader;
  },
};

/** Reads rows; a quoted field may go on over several lines, and its call is then that of the last one. */
class EventReader implements LineParser {
  #columns: ReadonlyMap<string, number> | null = null;
  #open = '';

  parse(raw: string): Parsed {
    if (this.#open.length + raw.length > LONGEST_LINE) return this.#refuse('line_too_long');
    const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
    if (HEADER.test(line)) return this.#header(line);
    if (this.#open === '' && line.trim() === '') return 'header';
    const isStart = ROW_START.test(line);
    // The end of a row that is not there, or a row inside another one, which was cut off.
    if (isStart === (this.#open !== '')) return this.#refuse('line_malformed');
    return this.#row(isStart ? line : `${this.#open}\n${line}`);
  }

  #header(line: string): Parsed {
    const names = csvRow(line.replace(/^\uFEFF/, ''));
    this.#open = '';
    if (!Array.isArray(names)) return 'line_malformed';
    this.#columns = new Map(names.map((name: string, place: number) => [name.trim().toUpperCase(), place]));
    return 'header';
  }

  #row(text: string): Parsed {
    if (this.#columns === null) return 'header_missing';
    const row = csvRow(text);
    this.#open = row === 'open' ? text : '';
    if (row === 'open') return 'header';
    if (row === null || row.length !== this.#columns.size) return 'line_malformed';
    const columns = this.#columns;
    return salesforceLine((name) => row[columns.get(name) ?? -1] || undefined);
  }

  #refuse(reason: 'line_too_long' | 'line_malformed'): Parsed {
    this.#open = '';
    return reason;
  }
}
