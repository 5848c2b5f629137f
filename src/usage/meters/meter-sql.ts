import type { QueryParams } from '../../store/index.ts';
import { parseJsonPath } from './json-path.ts';
import type { MeterSpec } from './meter.ts';

/** Values go to the engine beside the text of a query, never inside of it. */
export class SqlParams {
  readonly values: QueryParams = {};
  #count = 0;

  /** Gives the place in the text where the value belongs. Takes  type: of the engine. */
  add(type: string, value: unknown): string {
    const name = `p${this.#count++}`;
    this.values[name] = value;
    return `{${name}:${type}}`;
  }

  /** The same for an instant to compare times of events with. Beyond all events the engine could not compare any more. */
  addInstant(ms: number): string {
    return `fromUnixTimestamp64Milli(${this.add('Int64', Math.min(Math.max(ms, FIRST_MS), LAST_MS))}, 'UTC')`;
  }
}

const [FIRST_MS, LAST_MS] = [Date.UTC(2000, 0), Date.UTC(2106, 0)];

/** The data of an event in which no number loses digits. A subquery must give it the name `doc`. */
export const DOC = "if(exact = '', data, exact) AS doc";

/** A decimal as text or as JSON number, with an exponent of two digits at most. */
const NUMBER = '^[+-]?([0-9]+\\\\.?[0-9]*|\\\\.[0-9]+)([eE][+-]?[0-9]{1,2})?$';
const LONGEST_NUMBER = 100;

/**
 * What stands at a path of `doc`, as text: texts as they are, numbers and booleans written out, lists and objects as JSON.
 *
 * Takes  path: checked when the meter was stored.
 * Gives  SQL that is NULL where nothing stands there, or null.
 */
export function textAt(path: string, params: SqlParams): string {
  const steps = parseJsonPath(path) ?? [];
  const args: string[] = [];
  const conditions: string[] = [];
  for (const step of steps) {
    // The engine would take a place in an object for its n-th member.
    if (typeof step === 'number') conditions.push(`JSONType(${['doc', ...args].join(', ')}) = 'Array'`);
    args.push(typeof step === 'number' ? params.add('Int64', step + 1) : params.add('String', step));
  }
  const place = ['doc', ...args].join(', ');
  return `if(${[...conditions, `JSONType(${place}) != 'Null'`].join(' AND ')}, JSONExtractString(${place}), NULL)`;
}

/** The number that a text says, with 18 decimals, further ones cut off: SQL that is NULL where it is none within 10^30. */
function numberOf(text: string): string {
  const isNumber = `length(ifNull(${text}, '')) <= ${LONGEST_NUMBER} AND match(ifNull(${text}, ''), '${NUMBER}')`;
  const number = `toDecimal256OrNull(if(${isNumber}, assumeNotNull(${text}), ''), 18)`;
  return `if(abs(${number}) <= toDecimal256('1e30', 18), ${number}, NULL)`;
}

/** What a meter reads of one event: SQL for columns named `raw` and `number`. */
export function valueColumns(spec: MeterSpec, params: SqlParams): string {
  if (spec.aggregation === 'COUNT') return "'' AS raw, NULL AS number";
  const raw = `${textAt(spec.valueProperty!, params)} AS raw`;
  return spec.aggregation === 'UNIQUE_COUNT' ? `${raw}, NULL AS number` : `${raw}, ${numberOf('raw')} AS number`;
}

/** Whether an event counts, over the columns of `valueColumns`. */
export function isCounted(spec: MeterSpec): string {
  if (spec.aggregation === 'COUNT') return '1';
  return spec.aggregation === 'UNIQUE_COUNT' ? 'raw IS NOT NULL' : 'number IS NOT NULL';
}

/** The same in one expression over `doc`. */
export function countsExpression(spec: MeterSpec, params: SqlParams): string {
  if (spec.aggregation === 'COUNT') return '1';
  const text = textAt(spec.valueProperty!, params);
  return spec.aggregation === 'UNIQUE_COUNT' ? `${text} IS NOT NULL` : `${numberOf(text)} IS NOT NULL`;
}
