/**
 * The decisions of the Redis store, one script each: what src/limit/store/counters.ts does in memory, in Lua.
 * Numbers in Lua are doubles, as here: all of them are whole and below 2^53. They travel and are kept as eight bytes each, because writing them
 * as text and reading them again would take longer than everything else.
 *
 * A counter is what is used (of a rate its debt), the window, and since when it is over; of a rolling window there are fields for its parts besides,
 * and it is text, because Redis counts in text.
 */

/** What a counter is, in the first number of a line. */
export const KINDS = { rate: 1, fixed: 2, calendar: 3, rolling: 4, concurrency: 5 } as const;
export const { rate: RATE, fixed: FIXED, calendar: CALENDAR, rolling: ROLLING, concurrency: CONCURRENCY } = KINDS;

/** A line as it travels. Of a calendar, length is where this window ends, tick where the next one does, start where this one begins. */
export const LINE_FIELDS = [
  ...([
    'kind',
    'amount',
    'ceiling',
    'graceUs',
    'length',
    'tick',
    'parts',
    'start',
    'cost',
    'unitCost',
    'isEnforced',
  ] as const),
  ...(['currency', 'divisor'] as const),
] as const;
/** What is told of a line. */
export const ANSWER_FIELDS = ['before', 'after', 'fits', 'isOver', 'used', 'window', 'cost'] as const;

export const doubles = (count: number) => `'<${'d'.repeat(count)}'`;
export const LINE = doubles(LINE_FIELDS.length);
export const LINE_BYTES = LINE_FIELDS.length * 8;

// In a script a line is a list: these four of its counter, and then as it travels. By number, because names cost.
export const [used, window, since, fits] = ['line[1]', 'line[2]', 'line[3]', 'line[4]'];
export const [kind, amount, ceiling, grace, length, tick, parts, start, cost, unit, enforced, currency, divisor] =
  LINE_FIELDS.map((_, i) => `line[${i + 5}]`);
/** Of a line that is held, behind the others: what was taken, and in which window. */
export const [taken, takenIn] = [`line[${LINE_FIELDS.length + 5}]`, `line[${LINE_FIELDS.length + 6}]`];

/** How the numbers of a line are called at a place of a script. */
export type Names = Readonly<Record<'amount' | 'ceiling' | 'graceUs' | 'length' | 'tick' | 'start', string>>;
export const inLine = { amount, ceiling, graceUs: grace, length, tick, start } as Names;
export const asLocals = Object.fromEntries(LINE_FIELDS.map((name) => [name, name])) as Names;

/** Brings u, w and o, which are what is used, the window and since when it is over, up to now. Not of a rolling window. */
export const advance = ({ amount, length, tick, start }: Names) => `
  if kind == ${RATE} then
    local at = floor(now / ${tick})
    local elapsed = at - w
    if elapsed > 0 then
      if elapsed > u / ${amount} then u = 0 else u = max(0, u - elapsed * ${amount}) end
      w = at
    end
  elseif kind ~= ${CONCURRENCY} then
    local begins = ${length}
    if kind == ${FIXED} then begins = floor(now / begins) * begins
    elseif now < begins then begins = ${start} end
    if begins > w then u, w, o = 0, begins, 0 end
  end
`;

/** Sets fits. */
export const fitting = ({ amount, ceiling, graceUs, length }: Names) => `
  if kind == ${RATE} then fits = max(0, floor((${ceiling} * ${length} - u) / ${length}))
  else
    local most = ${ceiling}
    if ${graceUs} > 0 and o > 0 and now >= o + ${graceUs} then most = ${amount} end
    fits = max(0, most - u)
  end
`;

/** Takes units, which fit. */
export const take = ({ amount, length }: Names, units: string) => `
  if kind == ${RATE} then u = u + ${units} * ${length}
  else
    u = u + ${units}
    if u > ${amount} and o == 0 then o = now end
  end
`;

/** Sets ends: when the counter says nothing any more. Not of a rolling window. */
export const end = ({ amount, length, tick }: Names) => `
  if kind == ${RATE} then ends = (w + ceil(u / ${amount}) + 1) * ${tick}
  elseif kind == ${FIXED} then ends = w + ${length}
  elseif kind == ${CALENDAR} then ends = (w == ${length}) and ${tick} or ${length} end
`;
