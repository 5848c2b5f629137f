import { LEASE, REMEMBERED_US } from './counter-store.ts';
import { basics, counters, freeing, freeingWhenDue, settling, told } from './redis-counters.ts';
import {
  ANSWER_FIELDS,
  advance,
  amount,
  asLocals,
  CALENDAR,
  CONCURRENCY,
  cost,
  currency,
  doubles,
  end,
  enforced,
  fits,
  fitting,
  inLine,
  kind,
  LINE,
  LINE_BYTES,
  LINE_FIELDS,
  length,
  parts,
  RATE,
  ROLLING,
  since,
  start,
  take,
  tick,
  unit,
  used,
  window,
} from './redis-line.ts';

/**
 * The way of nearly every decision: nothing is reserved, no window rolls, and all of it fits. One look at each line, and nothing is written
 * before the last one fits; where one does not, the long way begins anew.
 */
const shortWay = `
if id == '' and not peek then
  local states, lasts, told = {}, {}, { struct.pack('<ddd', 1, asked, now) }
  local i = 1
  while i <= n do
    local ${LINE_FIELDS.join(', ')} = struct.unpack(${LINE}, packed, (i - 1) * ${LINE_BYTES} + 1)
    if kind >= ${ROLLING} or cost <= 0 or (kind == ${CALENDAR} and (now < start or now >= tick)) then break end
    local u, w, o, fits, ends = 0, 0, 0, 0, 0
    if texts[i + 1] then u, w, o = struct.unpack('<ddd', texts[i + 1]) end
    ${advance(asLocals)}
    ${fitting(asLocals)}
    if cost > fits then break end
    local there = u
    ${take(asLocals, 'cost')}
    ${end(asLocals)}
    local before, after = there, u
    if kind == ${RATE} then before, after = ceil(there / length), ceil(u / length) end
    told[i + 1] = struct.pack(${doubles(ANSWER_FIELDS.length)}, before, after, fits, 0, there, w, cost)
    states[i] = struct.pack('<ddd', u, w, o)
    lasts[i] = max(1000, ceil((ends - now) / 1000) + 1000)
    i = i + 1
  end
  if i > n then
    for each = 1, n do redis.call('SET', KEYS[each + 2], states[each], 'PX', lasts[each]) end
    return { 'none', table.concat(told), '' }
  end
end
`;

/**
 * KEYS: those due of the root, when the first of them is, then a counter each. ARGV: the root's beginning of keys, now or '', the lines, units, least,
 * peek, and of a reservation its id, length and fingerprint.
 */
export const decideScript = `${basics}
local root, packed, asked, least, peek = ARGV[1], ARGV[3], num(ARGV[4]), num(ARGV[5]), ARGV[6] == '1'
local id, ttl = ARGV[7] or '', 0
local now = clock(ARGV[2])
local texts = redis.call('MGET', unpack(KEYS, 2))
if texts[1] and num(texts[1]) <= now then
${counters}${freeing}
  texts = redis.call('MGET', unpack(KEYS, 2))
end
if id ~= '' then
  ttl = num(ARGV[8])
  local held = redis.call('HMGET', root .. 'h:' .. id, 'fingerprint', 'answer', 'marks', 'state')
  if held[1] then
    local again = 'same'
    if held[1] ~= ARGV[9] then again = 'other' elseif held[4] == 'released' or held[4] == 'expired' then again = 'over' end
    return { again, held[2], held[3] }
  end
end
local n = #KEYS - 2
${shortWay}${counters}
local lines = {}
local granted = asked
for i = 1, n do
  local line = { 0, 0, 0, 0, struct.unpack(${LINE}, packed, (i - 1) * ${LINE_BYTES} + 1) }
  lines[i] = line
  if ${kind} == ${CALENDAR} and (now < ${start} or now >= ${tick}) then return { 'clock', str(now), '' } end
  load(line, KEYS[i + 2], texts[i + 1], now)
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
  local line, key = lines[i], KEYS[i + 2]
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
      local u, o = u, ${since}
      ${take(inLine, 'take')}
      ${used}, ${since} = u, o
      if kind == ${ROLLING} then line.part = take end
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
${told}
  end
elseif id ~= '' and not texts[1] then
  -- Nobody said when the first one is due, and what is full of reservations would stay so.
${told}
end
return { 'none', told, marks }
`;

/** KEYS: those due of the root, when the first of them is. ARGV: the root's beginning of keys, now or '', id, action, units or '' or none, 10^-9 of money or '', its currency's number, 1 to forget it. */
export const settleScript = `${basics}${counters}
local root, id, action = ARGV[1], ARGV[3], ARGV[4]
local now = clock(ARGV[2])
${freeingWhenDue}
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
 * KEYS: those due of the root, when the first of them is, and a counter. ARGV: the root's beginning of keys, now or '', 1 where it may fall, the line, then of each part where it
 * begins and its units. The same as src/limit/store/put-units.ts.
 */
export const putScript = `${basics}${counters}
local root, key, fall, id = ARGV[1], KEYS[3], ARGV[3] == '1', ''
local now = clock(ARGV[2])
${freeingWhenDue}
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
