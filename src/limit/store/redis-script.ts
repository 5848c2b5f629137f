/**
 * The decisions of the Redis store, one script each: what src/limit/store/counters.ts does in memory, in Lua.
 * Numbers in Lua are doubles, as here: all of them are whole and below 2^53. They are written with %.0f, because Lua's own way keeps 14 digits.
 *
 * A counter is u, what is used (of a rate its debt), w, the window, and o, since when it is over; of a rolling window there are fields for its parts besides.
 */
const counters = `
local function num(v) return tonumber(v or '0') or 0 end
local function str(n) return string.format('%.0f', n) end

-- A rolling window is a hash with a field for each part; every other counter is one text.
local function load(key, c, now)
  local v
  if c.kind == 'rolling' then v = redis.call('HMGET', key, 'u', 'w', 'o')
  else
    local text = redis.call('GET', key)
    if text then v = { string.match(text, '^(%d+) (%d+) (%d+)$') } else v = {} end
  end
  local s = { u = num(v[1]), w = num(v[2]), o = num(v[3]) }
  if c.kind == 'rate' then
    local tick = math.floor(now / c.tick)
    local elapsed = tick - s.w
    if elapsed > 0 then
      if elapsed > s.u / c.amount then s.u = 0 else s.u = math.max(0, s.u - elapsed * c.amount) end
      s.w = tick
    end
  elseif c.kind == 'fixed' or c.kind == 'calendar' then
    local start
    if c.kind == 'fixed' then start = math.floor(now / c.length) * c.length
    elseif now < c.length then start = c.start
    else start = c.length end
    if start > s.w then s.u = 0; s.w = start; s.o = 0 end
  elseif c.kind == 'rolling' then
    s.gone = {}
    local part = math.floor(now / c.length)
    local size = c.parts + 1
    if part > s.w then
      if s.w == 0 or part - s.w >= size then
        if s.u > 0 then s.wipe = true end
        s.u = 0
      else
        local fields = {}
        for each = s.w + 1, part do fields[#fields + 1] = str(each % size) end
        local counts = redis.call('HMGET', key, unpack(fields))
        for i = 1, #fields do
          if counts[i] then s.u = s.u - num(counts[i]); s.gone[#s.gone + 1] = fields[i] end
        end
      end
      s.w = part
      if s.u <= c.amount then s.o = 0 end
    end
  end
  return s
end

local function room(s, c, now)
  if c.kind == 'rate' then return math.max(0, math.floor((c.ceiling * c.length - s.u) / c.length)) end
  local most = c.ceiling
  if c.grace > 0 and s.o > 0 and now >= s.o + c.grace then most = c.amount end
  return math.max(0, most - s.u)
end

local function used(s, c)
  if c.kind == 'rate' then return math.ceil(s.u / c.length) end
  return s.u
end

local function save(key, c, s, now, keep)
  local ends = now + 1000000
  if c.kind == 'rate' then ends = (s.w + math.ceil(s.u / c.amount) + 1) * c.tick
  elseif c.kind == 'fixed' then ends = s.w + c.length
  elseif c.kind == 'calendar' then ends = (s.w == c.length) and c.tick or c.length
  elseif c.kind == 'rolling' then ends = (s.w + c.parts + 1) * c.length end
  local ms = math.max(1000, math.ceil((ends - now) / 1000) + 1000 + keep)
  if c.kind ~= 'rolling' then
    if c.kind == 'concurrency' then ms = math.max(ms, redis.call('PTTL', key)) end
    redis.call('SET', key, string.format('%.0f %.0f %.0f', s.u, s.w, s.o), 'PX', str(ms))
    return
  end
  if s.wipe then redis.call('DEL', key) elseif #s.gone > 0 then redis.call('HDEL', key, unpack(s.gone)) end
  if s.part then redis.call('HINCRBY', key, str(s.w % (c.parts + 1)), str(s.part)) end
  redis.call('HSET', key, 'u', str(s.u), 'w', str(s.w), 'o', str(s.o))
  redis.call('PEXPIRE', key, str(ms))
end

local function back(key, c, cost, takenIn, now)
  local s = load(key, c, now)
  if c.kind == 'rate' then
    local elapsed = s.w - takenIn
    local whole = cost * c.length
    if elapsed > whole / c.amount then return end
    s.u = math.max(0, s.u - math.max(0, whole - elapsed * c.amount))
  elseif c.kind == 'rolling' then
    if s.w - takenIn > c.parts then return end
    local field = str(takenIn % (c.parts + 1))
    local there = num(redis.call('HGET', key, field))
    local less = math.min(cost, there)
    redis.call('HINCRBY', key, field, str(-less))
    s.u = s.u - less
    if s.u <= c.amount then s.o = 0 end
  else
    if s.w ~= takenIn then return end
    s.u = math.max(0, s.u - cost)
    if s.u <= c.amount then s.o = 0 end
  end
  save(key, c, s, now, 0)
end

local function more(key, c, cost, takenIn, now)
  local s = load(key, c, now)
  local most = 2251799813685248
  if c.kind == 'rate' then
    if cost > most / c.length then s.u = most else s.u = math.min(most, s.u + cost * c.length) end
  elseif c.kind == 'rolling' then
    if s.w - takenIn > c.parts then return end
    cost = math.max(0, math.min(cost, most - s.u))
    redis.call('HINCRBY', key, str(takenIn % (c.parts + 1)), str(cost))
    s.u = s.u + cost
  else
    if s.w ~= takenIn then return end
    s.u = math.min(most, s.u + cost)
  end
  save(key, c, s, now, 0)
end

-- A counter as it travels: kind, amount, ceiling, grace, length, tick, parts, start.
local function counter(a, i)
  return { kind = a[i], amount = num(a[i + 1]), ceiling = num(a[i + 2]), grace = num(a[i + 3]), length = num(a[i + 4]),
    tick = num(a[i + 5]), parts = num(a[i + 6]), start = num(a[i + 7]) }
end

-- What a reservation took of one counter: its key, those eight, and cost, window, unit cost, the currency of money and its divisor.
local LINE = 14

-- Whether a limit counts in the currency that a commit names: money that no limit knows would be counted nowhere.
local function counted_in(held, currency)
  local lines, any = cjson.decode(held), false
  for i = 1, #lines, LINE do
    if lines[i + 12] == currency then return true end
    any = any or lines[i + 12] ~= ''
  end
  return not any
end

local function finish(held, units, nano, now, currency)
  local lines = cjson.decode(held)
  for i = 1, #lines, LINE do
    local c = counter(lines, i + 1)
    local cost, takenIn, unit, money, divisor = num(lines[i + 9]), num(lines[i + 10]), num(lines[i + 11]), lines[i + 12], num(lines[i + 13])
    local actual = cost
    if c.kind == 'concurrency' or units == 'none' then actual = 0
    elseif money ~= '' then
      if nano ~= '' and money == currency then
        local n = num(nano)
        local rest = n % divisor
        actual = (n - rest) / divisor
        if rest > 0 then actual = actual + 1 end
      end
    elseif units ~= '' then actual = math.min(num(units) * unit, 2251799813685248) end
    if actual < cost then back(lines[i], c, cost - actual, takenIn, now) end
    if actual > cost then more(lines[i], c, actual - cost, takenIn, now) end
  end
end

local function clock(given)
  if given ~= '' then return num(given) end
  local t = redis.call('TIME')
  return num(t[1]) * 1000000 + num(t[2])
end

local function free(root, now)
  local due = redis.call('ZRANGEBYSCORE', root .. 'due', '-inf', str(now), 'LIMIT', '0', '100')
  for _, id in ipairs(due) do
    local key = root .. 'r:' .. id
    local held = redis.call('HMGET', key, 'state', 'lines')
    if held[1] == 'held' then
      finish(held[2], 'none', '', now)
      redis.call('HSET', key, 'state', 'expired')
    end
    redis.call('ZREM', root .. 'due', id)
  end
end
`;

/**
 * KEYS: those due of the root, then a counter each. ARGV: the root's beginning of keys, now or '', units, least, peek, and of a reservation its id,
 * length and fingerprint; then of each line its counter and cost, unit cost, whether it is enforced, the currency of money or '', its divisor.
 */
export const decideScript = `${counters}
local root, units, least, peek = ARGV[1], num(ARGV[3]), num(ARGV[4]), ARGV[5] == '1'
local id, ttl, fingerprint = ARGV[6], num(ARGV[7]), ARGV[8]
local now = clock(ARGV[2])
free(root, now)
if id ~= '' then
  local held = redis.call('HMGET', root .. 'r:' .. id, 'fingerprint', 'answer')
  if held[1] then return { held[1] == fingerprint and 'same' or 'other', held[2] } end
end
local n = #KEYS - 1
local c, s, rooms, cost, unit, enforced, money, divisor = {}, {}, {}, {}, {}, {}, {}, {}
local granted = units
for i = 1, n do
  local at = 9 + (i - 1) * 13
  c[i] = counter(ARGV, at)
  cost[i], unit[i], enforced[i], money[i], divisor[i] = num(ARGV[at + 8]), num(ARGV[at + 9]), ARGV[at + 10] == '1', ARGV[at + 11], ARGV[at + 12]
  if c[i].kind == 'calendar' and (now < c[i].start or now >= c[i].tick) then return { 'clock', str(now) } end
  s[i] = load(KEYS[i + 1], c[i], now)
  rooms[i] = room(s[i], c[i], now)
  if enforced[i] and cost[i] > rooms[i] and granted >= 0 then
    if least == 0 or money[i] ~= '' then granted = -1
    elseif unit[i] > 0 then granted = math.min(granted, math.floor(rooms[i] / unit[i])) end
  end
end
if granted < least then granted = -1 end
local answer = { granted >= 0 and 1 or 0, str(math.max(granted, 0)), str(now) }
local lines = {}
for i = 1, n do
  local take = cost[i]
  if granted >= 0 and granted ~= units and money[i] == '' then take = granted * unit[i] end
  local before = used(s[i], c[i])
  local over = take > rooms[i]
  local state = s[i]
  -- When it would fit, and when the window ends, are told of the state before.
  local au, aw, marks = state.u, state.w, ''
  if c[i].kind == 'rolling' and state.u > 0 and not state.wipe then
    local size, parts = c[i].parts + 1, {}
    local first = math.max(0, state.w - c[i].parts)
    if over or peek then
      local fields = {}
      for part = first, state.w do fields[#fields + 1] = str(part % size) end
      local counts = redis.call('HMGET', KEYS[i + 1], unpack(fields))
      local gone = {}
      for _, field in ipairs(state.gone) do gone[field] = true end
      for j = 1, #fields do parts[j] = (gone[fields[j]] and '0') or counts[j] or '0' end
      marks = table.concat(parts, ',')
    end
  end
  local after = before
  if granted >= 0 and not peek and not over then
    -- Nobody would say when a call that was only checked has ended.
    if take > 0 and not (id == '' and c[i].kind == 'concurrency') then
      if c[i].kind == 'rate' then state.u = state.u + take * c[i].length
      else
        state.u = state.u + take
        if state.u > c[i].amount and state.o == 0 then state.o = now end
        if c[i].kind == 'rolling' then state.part = take end
      end
      save(KEYS[i + 1], c[i], state, now, math.ceil(ttl / 1000))
      after = used(state, c[i])
    end
    if id ~= '' then
      local at = 9 + (i - 1) * 13
      lines[#lines + 1] = KEYS[i + 1]
      for j = 0, 7 do lines[#lines + 1] = ARGV[at + j] end
      lines[#lines + 1] = str(take); lines[#lines + 1] = str(state.w); lines[#lines + 1] = ARGV[at + 9]
      lines[#lines + 1] = money[i]; lines[#lines + 1] = divisor[i]
    end
  end
  answer[#answer + 1] = string.format('%.0f;%.0f;%.0f;%d;%.0f;%.0f;%.0f;%s', before, after, rooms[i], over and 1 or 0, au, aw, take, marks)
end
if id ~= '' and granted >= 0 and not peek then
  local key = root .. 'r:' .. id
  redis.call('HSET', key, 'state', 'held', 'fingerprint', fingerprint, 'lines', cjson.encode(lines), 'answer', table.concat(answer, ';'))
  -- A lease stays taken when nobody ends it: its node may have died after giving it out.
  local is_lease = fingerprint == 'lease'
  redis.call('PEXPIRE', key, str(math.ceil(ttl / 1000) + (is_lease and 5000 or 600000)))
  if not is_lease then
    redis.call('ZADD', root .. 'due', str(now + ttl), id)
    local last = math.max(redis.call('PTTL', root .. 'due'), math.ceil(ttl / 1000) + 600000)
    redis.call('PEXPIRE', root .. 'due', str(last))
  end
end
return { 'none', table.concat(answer, ';') }
`;

/** KEYS: those due of the root. ARGV: the root's beginning of keys, now or '', id, action, units or '' or none, 10^-9 of money or '', its currency. */
export const settleScript = `${counters}
local root, id, action = ARGV[1], ARGV[3], ARGV[4]
local now = clock(ARGV[2])
free(root, now)
local key = root .. 'r:' .. id
local held = redis.call('HMGET', key, 'state', 'lines')
if not held[1] then return 'unknown' end
if held[1] == action then return 'already' end
if held[1] ~= 'held' then return held[1] end
if ARGV[6] ~= '' and not counted_in(held[2], ARGV[7]) then return 'currency' end
finish(held[2], ARGV[5], ARGV[6], now, ARGV[7])
redis.call('HSET', key, 'state', action)
redis.call('ZREM', root .. 'due', id)
return 'done'
`;

/**
 * KEYS: those due of the root, and a counter. ARGV: the root's beginning of keys, now or '', 1 where it may fall, the counter, then of each part where it begins and its units.
 * The same as src/limit/store/put-units.ts.
 */
export const putScript = `${counters}
local root, key, fall = ARGV[1], KEYS[2], ARGV[3] == '1'
local now = clock(ARGV[2])
free(root, now)
local c = counter(ARGV, 4)
if c.kind == 'calendar' and (now < c.start or now >= c.tick) then return { 'clock', str(now) } end
local s = load(key, c, now)
local before = used(s, c)
local diffs = {}
for i = 12, #ARGV, 2 do
  local start, counted = num(ARGV[i]), num(ARGV[i + 1])
  if c.kind ~= 'rolling' then
    if start == s.w then s.u = fall and counted or math.max(s.u, counted) end
  else
    local part = start / c.length
    if part <= s.w and s.w - part <= c.parts then
      local field = str(part % (c.parts + 1))
      local there = 0
      if not s.wipe then
        there = num(redis.call('HGET', key, field))
        for _, gone in ipairs(s.gone) do if gone == field then there = 0 end end
      end
      local next = (fall and part < s.w) and counted or math.max(there, counted)
      if next ~= there then diffs[#diffs + 1] = { field, next } end
      s.u = s.u + next - there
    end
  end
end
if s.u <= c.amount then s.o = 0 elseif s.o == 0 then s.o = now end
save(key, c, s, now, 0)
for _, diff in ipairs(diffs) do redis.call('HSET', key, diff[1], str(diff[2])) end
return { str(before), str(used(s, c)) }
`;
