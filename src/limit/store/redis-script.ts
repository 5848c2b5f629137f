import { LEASE, REMEMBERED_US } from './counter-store.ts';

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
const { rate: RATE, fixed: FIXED, calendar: CALENDAR, rolling: ROLLING, concurrency: CONCURRENCY } = KINDS;

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

const doubles = (count: number) => `'<${'d'.repeat(count)}'`;
const LINE = doubles(LINE_FIELDS.length);
const LINE_BYTES = LINE_FIELDS.length * 8;

// In a script a line is a list: these four of its counter, and then as it travels. By number, because names cost.
const [used, window, since, fits] = ['line[1]', 'line[2]', 'line[3]', 'line[4]'];
const [kind, amount, ceiling, grace, length, tick, parts, start, cost, unit, enforced, currency, divisor] =
  LINE_FIELDS.map((_, i) => `line[${i + 5}]`);
/** Of a line that is held, behind the others: what was taken, and in which window. */
const [taken, takenIn] = [`line[${LINE_FIELDS.length + 5}]`, `line[${LINE_FIELDS.length + 6}]`];

const counters = `
local floor, ceil, max, min = math.floor, math.ceil, math.max, math.min
local function num(v) return tonumber(v or '0') or 0 end
local function str(n) return string.format('%.0f', n) end

local function roll(line, key, now)
  local v = redis.call('HMGET', key, 'u', 'w', 'o')
  local u, w, o = num(v[1]), num(v[2]), num(v[3])
  line.gone = {}
  local part = floor(now / ${length})
  local size = ${parts} + 1
  if part > w then
    if w == 0 or part - w >= size then
      if u > 0 then line.wipe = true end
      u = 0
    else
      local fields = {}
      for each = w + 1, part do fields[#fields + 1] = str(each % size) end
      local counts = redis.call('HMGET', key, unpack(fields))
      for i = 1, #fields do
        if counts[i] then u = u - num(counts[i]); line.gone[#line.gone + 1] = fields[i] end
      end
    end
    w = part
    if u <= ${amount} then o = 0 end
  end
  ${used}, ${window}, ${since} = u, w, o
end

-- Brings a counter up to now. text: what is kept of it, unless it is a rolling window.
local function load(line, key, text, now)
  local kind = ${kind}
  if kind == ${ROLLING} then return roll(line, key, now) end
  local u, w, o = 0, 0, 0
  if text then u, w, o = struct.unpack('<ddd', text) end
  if kind == ${RATE} then
    local tick = floor(now / ${tick})
    local elapsed = tick - w
    if elapsed > 0 then
      if elapsed > u / ${amount} then u = 0 else u = max(0, u - elapsed * ${amount}) end
      w = tick
    end
  elseif kind ~= ${CONCURRENCY} then
    local start = ${length}
    if kind == ${FIXED} then start = floor(now / start) * start
    elseif now < start then start = ${start} end
    if start > w then u, w, o = 0, start, 0 end
  end
  ${used}, ${window}, ${since} = u, w, o
end

local function room(line, now)
  if ${kind} == ${RATE} then return max(0, floor((${ceiling} * ${length} - ${used}) / ${length})) end
  local most = ${ceiling}
  if ${grace} > 0 and ${since} > 0 and now >= ${since} + ${grace} then most = ${amount} end
  return max(0, most - ${used})
end

local function units(line)
  if ${kind} == ${RATE} then return ceil(${used} / ${length}) end
  return ${used}
end

local function save(line, key, now, keep)
  local kind, u, w, o = ${kind}, ${used}, ${window}, ${since}
  local ends = now + 1000000
  if kind == ${RATE} then ends = (w + ceil(u / ${amount}) + 1) * ${tick}
  elseif kind == ${FIXED} then ends = w + ${length}
  elseif kind == ${CALENDAR} then ends = (w == ${length}) and ${tick} or ${length}
  elseif kind == ${ROLLING} then ends = (w + ${parts} + 1) * ${length} end
  local ms = max(1000, ceil((ends - now) / 1000) + 1000 + keep)
  if kind ~= ${ROLLING} then
    if kind == ${CONCURRENCY} then ms = max(ms, redis.call('PTTL', key)) end
    redis.call('SET', key, struct.pack('<ddd', u, w, o), 'PX', str(ms))
    return
  end
  if line.wipe then redis.call('DEL', key) elseif #line.gone > 0 then redis.call('HDEL', key, unpack(line.gone)) end
  if line.part then redis.call('HINCRBY', key, str(w % (${parts} + 1)), str(line.part)) end
  redis.call('HSET', key, 'u', str(u), 'w', str(w), 'o', str(o))
  redis.call('PEXPIRE', key, str(ms))
end

local function clock(given)
  if given ~= '' then return num(given) end
  local t = redis.call('TIME')
  return num(t[1]) * 1000000 + num(t[2])
end
`;

/** Ends of reservations. A block of its own: most decisions have none to end, and need not even have these functions made. */
const settling = `
  local function again(line, key, now)
    load(line, key, ${kind} ~= ${ROLLING} and redis.call('GET', key), now)
  end

  local function back(line, key, cost, now)
    again(line, key, now)
    if ${kind} == ${RATE} then
      local elapsed = ${window} - ${takenIn}
      local whole = cost * ${length}
      if elapsed > whole / ${amount} then return end
      ${used} = max(0, ${used} - max(0, whole - elapsed * ${amount}))
    elseif ${kind} == ${ROLLING} then
      if ${window} - ${takenIn} > ${parts} then return end
      local field = str(${takenIn} % (${parts} + 1))
      local less = min(cost, num(redis.call('HGET', key, field)))
      redis.call('HINCRBY', key, field, str(-less))
      ${used} = ${used} - less
      if ${used} <= ${amount} then ${since} = 0 end
    else
      if ${window} ~= ${takenIn} then return end
      ${used} = max(0, ${used} - cost)
      if ${used} <= ${amount} then ${since} = 0 end
    end
    save(line, key, now, 0)
  end

  local function more(line, key, cost, now)
    again(line, key, now)
    local most = 4503599627370496
    if ${kind} == ${RATE} then
      if cost > most / ${length} then ${used} = most else ${used} = max(${used}, min(most, ${used} + cost * ${length})) end
    elseif ${kind} == ${ROLLING} then
      if ${window} - ${takenIn} > ${parts} then return end
      cost = max(0, min(cost, most - ${used}))
      redis.call('HINCRBY', key, str(${takenIn} % (${parts} + 1)), str(cost))
      ${used} = ${used} + cost
    else
      if ${window} ~= ${takenIn} then return end
      ${used} = max(${used}, min(most, ${used} + cost))
    end
    save(line, key, now, 0)
  end

  -- Key after key of what is held, each with its line.
  local function unpacked(packed)
    local held = cmsgpack.unpack(packed)
    for i = 2, #held, 2 do held[i] = { 0, 0, 0, 0, struct.unpack(${doubles(LINE_FIELDS.length + 2)}, held[i]) } end
    return held
  end

  -- Whether a limit counts in the currency that a commit names: money that no limit knows would be counted nowhere.
  local function counted_in(packed, named)
    local held, any = unpacked(packed), false
    for i = 2, #held, 2 do
      local line = held[i]
      if ${currency} == named then return true end
      any = any or ${currency} ~= 0
    end
    return not any
  end

  local function finish(packed, units, nano, now, named)
    local held = unpacked(packed)
    for i = 1, #held, 2 do
      local key, line = held[i], held[i + 1]
      local actual = ${taken}
      if ${kind} == ${CONCURRENCY} or units == 'none' then actual = 0
      elseif ${currency} ~= 0 then
        if nano ~= '' and ${currency} == named then
          local n = num(nano)
          local rest = n % ${divisor}
          actual = (n - rest) / ${divisor}
          if rest > 0 then actual = actual + 1 end
        end
      elseif units ~= '' then actual = min(num(units) * ${unit}, 4503599627370496) end
      if actual < ${taken} then back(line, key, ${taken} - actual, now) end
      if actual > ${taken} then more(line, key, actual - ${taken}, now) end
    end
  end
`;

/** Gives back what has expired, 100 reservations at most, and that of `id`: it must not look as if it were still held. */
const freeing = `
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', str(now), 'LIMIT', '0', '100')
if #due == 100 and id ~= '' and num(redis.call('ZSCORE', KEYS[1], id) or str(now + 1)) <= now then due[101] = id end
if #due > 0 then
${settling}
  for _, id in ipairs(due) do
    local key = root .. 'h:' .. id
    local held = redis.call('HMGET', key, 'state', 'lines')
    if held[1] == 'held' then
      finish(held[2], 'none', '', now, 0)
      redis.call('HSET', key, 'state', 'expired')
    end
    redis.call('ZREM', KEYS[1], id)
  end
end
`;

/**
 * KEYS: those due of the root, then a counter each. ARGV: the root's beginning of keys, now or '', the lines, units, least, peek, and of a reservation
 * its id, length and fingerprint.
 */
export const decideScript = `${counters}
local root, packed, asked, least, peek = ARGV[1], ARGV[3], num(ARGV[4]), num(ARGV[5]), ARGV[6] == '1'
local id, ttl = ARGV[7] or '', 0
local now = clock(ARGV[2])
${freeing}
if id ~= '' then
  ttl = num(ARGV[8])
  local held = redis.call('HMGET', root .. 'h:' .. id, 'fingerprint', 'answer', 'marks', 'state')
  if held[1] then
    local again = 'same'
    if held[1] ~= ARGV[9] then again = 'other' elseif held[4] == 'released' or held[4] == 'expired' then again = 'over' end
    return { again, held[2], held[3] }
  end
end
local n = #KEYS - 1
local texts = n > 0 and redis.call('MGET', unpack(KEYS, 2)) or {}
local lines = {}
local granted = asked
for i = 1, n do
  local line = { 0, 0, 0, 0, struct.unpack(${LINE}, packed, (i - 1) * ${LINE_BYTES} + 1) }
  lines[i] = line
  if ${kind} == ${CALENDAR} and (now < ${start} or now >= ${tick}) then return { 'clock', str(now), '' } end
  load(line, KEYS[i + 1], texts[i], now)
  local fits = room(line, now)
  ${fits} = fits
  if ${cost} > fits and ${enforced} == 1 and granted >= 0 then
    if least == 0 or ${currency} ~= 0 then granted = -1
    elseif ${unit} > 0 then granted = min(granted, floor(fits / ${unit})) end
  end
end
if granted < least then granted = -1 end
local answer = { struct.pack('<ddd', granted >= 0 and 1 or 0, max(granted, 0), now) }
local marks = ''
local held = {}
for i = 1, n do
  local line, key = lines[i], KEYS[i + 1]
  local kind, take = ${kind}, ${cost}
  if granted >= 0 and granted ~= asked and ${currency} == 0 then take = granted * ${unit} end
  local before = units(line)
  local over = take > ${fits}
  -- When it would fit, and when the window ends, are told of the state before.
  local u, w = ${used}, ${window}
  if kind == ${ROLLING} and (over or peek) and u > 0 and not line.wipe then
    local size, fields, counted = ${parts} + 1, {}, {}
    for part = max(0, w - ${parts}), w do fields[#fields + 1] = str(part % size) end
    local counts = redis.call('HMGET', key, unpack(fields))
    local gone = {}
    for _, field in ipairs(line.gone) do gone[field] = true end
    for j = 1, #fields do counted[j] = (gone[fields[j]] and '0') or counts[j] or '0' end
    marks = marks .. str(i) .. ':' .. table.concat(counted, ',') .. ';'
  end
  local after = before
  if granted >= 0 and not peek and not over then
    -- Nobody would say when a call that was only checked has ended.
    if take > 0 and not (id == '' and kind == ${CONCURRENCY}) then
      if kind == ${RATE} then ${used} = u + take * ${length}
      else
        ${used} = u + take
        if ${used} > ${amount} and ${since} == 0 then ${since} = now end
        if kind == ${ROLLING} then line.part = take end
      end
      save(line, key, now, ceil(ttl / 1000))
      after = units(line)
    end
    if id ~= '' then
      held[#held + 1] = key
      held[#held + 1] = string.sub(packed, (i - 1) * ${LINE_BYTES} + 1, i * ${LINE_BYTES}) .. struct.pack('<dd', take, w)
    end
  end
  answer[i + 1] = struct.pack(${doubles(ANSWER_FIELDS.length)}, before, after, ${fits}, over and 1 or 0, u, w, take)
end
local told = table.concat(answer)
if id ~= '' and granted >= 0 and not peek then
  local key = root .. 'h:' .. id
  redis.call('HSET', key, 'state', 'held', 'fingerprint', ARGV[9], 'lines', cmsgpack.pack(held), 'answer', told, 'marks', marks)
  -- A lease stays taken when nobody ends it: its node may have died after giving it out.
  local is_lease = ARGV[9] == '${LEASE}'
  redis.call('PEXPIRE', key, str(ceil(ttl / 1000) + (is_lease and 5000 or 600000)))
  if not is_lease then
    redis.call('ZADD', KEYS[1], str(now + ttl), id)
    local last = max(redis.call('PTTL', KEYS[1]), ceil(ttl / 1000) + 600000)
    redis.call('PEXPIRE', KEYS[1], str(last))
  end
end
return { 'none', told, marks }
`;

/** KEYS: those due of the root. ARGV: the root's beginning of keys, now or '', id, action, units or '' or none, 10^-9 of money or '', its currency's number, 1 to forget it. */
export const settleScript = `${counters}
local root, id, action = ARGV[1], ARGV[3], ARGV[4]
local now = clock(ARGV[2])
${freeing}
local key = root .. 'h:' .. id
local held = redis.call('HMGET', key, 'state', 'lines')
if not held[1] then return 'unknown' end
if held[1] == action then return 'already' end
if held[1] ~= 'held' then return held[1] end
${settling}
if ARGV[6] ~= '' and not counted_in(held[2], num(ARGV[7])) then return 'currency' end
finish(held[2], ARGV[5], ARGV[6], now, num(ARGV[7]))
if ARGV[8] == '1' then redis.call('DEL', key) else
  redis.call('HSET', key, 'state', action)
  redis.call('PEXPIRE', key, '${REMEMBERED_US / 1000}')
end
redis.call('ZREM', KEYS[1], id)
return 'done'
`;

/**
 * KEYS: those due of the root, and a counter. ARGV: the root's beginning of keys, now or '', 1 where it may fall, the line, then of each part where it
 * begins and its units. The same as src/limit/store/put-units.ts.
 */
export const putScript = `${counters}
local root, key, fall, id = ARGV[1], KEYS[2], ARGV[3] == '1', ''
local now = clock(ARGV[2])
${freeing}
local line = { 0, 0, 0, 0, struct.unpack(${LINE}, ARGV[4]) }
if ${kind} == ${CALENDAR} and (now < ${start} or now >= ${tick}) then return { 'clock', str(now) } end
load(line, key, ${kind} ~= ${ROLLING} and redis.call('GET', key), now)
local before = units(line)
local diffs = {}
for i = 5, #ARGV, 2 do
  local start, counted = num(ARGV[i]), num(ARGV[i + 1])
  if ${kind} ~= ${ROLLING} then
    if start == ${window} then ${used} = fall and counted or max(${used}, counted) end
  else
    local part = start / ${length}
    if part <= ${window} and ${window} - part <= ${parts} then
      local field = str(part % (${parts} + 1))
      local there = 0
      if not line.wipe then
        there = num(redis.call('HGET', key, field))
        for _, gone in ipairs(line.gone) do if gone == field then there = 0 end end
      end
      local next = (fall and part < ${window}) and counted or max(there, counted)
      if next ~= there then diffs[#diffs + 1] = { field, next } end
      ${used} = ${used} + next - there
    end
  end
end
if ${used} <= ${amount} then ${since} = 0 elseif ${since} == 0 then ${since} = now end
save(line, key, now, 0)
for _, diff in ipairs(diffs) do redis.call('HSET', key, diff[1], str(diff[2])) end
return { str(before), str(units(line)) }
`;
