import {
  advance,
  amount,
  CONCURRENCY,
  currency,
  divisor,
  doubles,
  end,
  fitting,
  inLine,
  kind,
  LINE_FIELDS,
  length,
  parts,
  RATE,
  ROLLING,
  since,
  taken,
  takenIn,
  unit,
  used,
  window,
} from './redis-line.ts';

/** What the scripts have in common: counters, and the ends of reservations. */

export const basics = `
local floor, ceil, max, min = math.floor, math.ceil, math.max, math.min
local function num(v) return tonumber(v or '0') or 0 end
local function str(n) return string.format('%.0f', n) end
local function clock(given)
  if given ~= '' then return num(given) end
  local t = redis.call('TIME')
  return num(t[1]) * 1000000 + num(t[2])
end
`;

export const counters = `
-- Brings a counter up to now. text: what is kept of it, unless it is a rolling window.
local function load(line, key, text, now)
  local kind, u, w, o = ${kind}, 0, 0, 0
  if text then u, w, o = struct.unpack('<ddd', text) end
  if kind == ${ROLLING} then
    local v = redis.call('HMGET', key, 'u', 'w', 'o')
    u, w, o = num(v[1]), num(v[2]), num(v[3])
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
  else
  ${advance(inLine)}
  end
  ${used}, ${window}, ${since} = u, w, o
end

local function room(line, now)
  local kind, u, o, fits = ${kind}, ${used}, ${since}, 0
  ${fitting(inLine)}
  return fits
end

local function units(line)
  if ${kind} == ${RATE} then return ceil(${used} / ${length}) end
  return ${used}
end

local function save(line, key, now, keep)
  local kind, u, w, o = ${kind}, ${used}, ${window}, ${since}
  local ends = now + 1000000
  if kind == ${ROLLING} then ends = (w + ${parts} + 1) * ${length} else ${end(inLine)} end
  local ms = max(1000, ceil((ends - now) / 1000) + 1000 + keep)
  if kind ~= ${ROLLING} then
    if kind == ${CONCURRENCY} then ms = max(ms, redis.call('PTTL', key)) end
    redis.call('SET', key, struct.pack('<ddd', u, w, o), 'PX', ms)
    return
  end
  if line.wipe then redis.call('DEL', key) elseif #line.gone > 0 then redis.call('HDEL', key, unpack(line.gone)) end
  if line.part then redis.call('HINCRBY', key, str(w % (${parts} + 1)), str(line.part)) end
  redis.call('HSET', key, 'u', str(u), 'w', str(w), 'o', str(o))
  redis.call('PEXPIRE', key, str(ms))
end
`;

/** Keeps when the first reservation is due: one small key that is read with the counters, instead of asking the sorted ones each time. */
export const told = `
  local first = redis.call('ZRANGE', KEYS[1], '0', '0', 'WITHSCORES')
  if first[2] then redis.call('SET', KEYS[2], first[2], 'PX', max(1000, redis.call('PTTL', KEYS[1])))
  else redis.call('DEL', KEYS[2]) end
`;

/** Ends of reservations. A block of its own: most decisions have none to end, and need not even have these functions made. */
export const settling = `
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

/**
 * Gives back what has expired, 100 reservations at most, and in any case the one that is asked for. Says when the next one is due.
 * Only done when that time has come: nearly always nothing is due.
 */
export const freeing = `
${settling}
  local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', str(now), 'LIMIT', '0', '100')
  if id ~= '' and num(redis.call('ZSCORE', KEYS[1], id) or 'inf') <= now then due[#due + 1] = id end
  for _, each in ipairs(due) do
    local key = root .. 'h:' .. each
    local held = redis.call('HMGET', key, 'state', 'lines')
    if held[1] == 'held' then
      finish(held[2], 'none', '', now, 0)
      redis.call('HSET', key, 'state', 'expired')
    end
    redis.call('ZREM', KEYS[1], each)
  end
${told}
`;

export const freeingWhenDue = `
local first_due = redis.call('GET', KEYS[2])
if first_due and num(first_due) <= now then
${freeing}
end
`;
