import { type Script, script } from '../../store/redis.ts'
import type { Algorithm } from '../limiter.ts'

/** What the program in Redis calls an algorithm. */
export const kindOf = {
  sliding: 's',
  'token-bucket': 'b',
  log: 'l',
  fixed: 'f',
  concurrency: 'c',
} as const satisfies Record<Algorithm, string>

type Kind = (typeof kindOf)[Algorithm]

/** Texts that a claim is sent as, beside its limit. */
const sentPerClaim = 3
/** Numbers that come back for a claim, each as the 8 bytes of a double, the lowest first. */
export const answeredPerClaim = 5

/** Of what is left of a budget, a lease takes at most one part in so many: near the edge there is none. */
export const leaseShare = 64

/**
 * Serves requests one after the other, and takes for each from all its budgets or from none. It is sent one key for each
 * claim, and
 *
 *     of each limit: kind, limit, window (µs), burst, time that a lease or a hold lasts (µs)
 *     of each request: how many claims, and of each: where its limit is among what is sent, cost, units to lease or the id of a hold
 *
 * after the place of the first request. It answers for each claim
 *
 *     how long to wait (µs), units left, until it is whole again (µs), units leased, time that the lease lasts (µs)
 *
 * Where a request is refused, what is said of a claim that would have fit is as if it had been taken. What fails for one
 * request, since something else lies where a count should be, fails for no other: its first number is -1, and why stands behind
 * all numbers.
 *
 * Time is Redis's own, so that nodes whose clocks differ count alike. It is wall time, which somebody may set back: then all
 * that a budget has counted so far counts as if taken now, and that is kept even where nothing is taken: else nothing would come
 * back before the clock is where it was.
 *
 * Leased units count as taken when the lease ends, and from now on. So whenever one is spent, each window that holds that
 * moment counts it.
 */
export function takeScript(algorithms: Iterable<Algorithm>): Script {
  const kinds = [...new Set(algorithms)].map((algorithm) => kindOf[algorithm]).sort()
  const name = kinds.join('')
  let known = takeScripts.get(name)
  if (known === undefined) {
    known = script([beginning, ...kinds.map((kind) => counting[kind]), ending].join(''))
    takeScripts.set(name, known)
  }
  return known
}

/** By the kinds that they know: what Redis has not to read it has not to run. At most 31. */
const takeScripts = new Map<string, Script>()

/**
 * Each kind is a function of a key, the numbers of its limit, a cost, and what is asked for beside. It answers what is told of the
 * claim, and what there is to write if all of its request is taken: a text and how long it is kept (µs). So nothing has to
 * be remembered of a claim but that.
 */
const beginning = `
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local call, pack, unpacked = redis.call, struct.pack, struct.unpack
local ceil, floor, max, min, tonumber = math.ceil, math.floor, math.max, math.min, tonumber
local kinds, writing = {}, {}

local function keep(key, text, us)
  call('SET', key, text, 'PX', string.format('%.0f', ceil(us / 1000) + 1))
end

local function leased(ask, cost, most)
  local units = min(ask, floor(most / ${leaseShare}))
  return max(0, units - units % cost)
end
`

const bucket = `
-- GCRA. The level is counted in units times the window, so that it is whole, and exact up to 2^53.
function kinds.b(key, limit, window, burst, cost, ask, span)
  local brim = burst * window
  local level = 0
  local text = call('GET', key)
  if text then
    local at
    level, at = unpacked('<dd', text)
    if now > at then level = max(0, level - (now - at) * limit) end
    if at > now then keep(key, pack('<dd', level, now), level / limit) end
  end
  local filled = level + cost * window
  if filled > brim then return ceil((filled - brim) / limit), (brim - level) / window, level / limit, 0 end
  local units = 0
  if ask ~= '0' then
    local ahead = max(filled, span * limit)
    units = leased(tonumber(ask), cost, (brim - ahead) / window)
    if units > 0 then filled = ahead + units * window end
  end
  local us = filled / limit
  return 0, (brim - filled) / window, us, units, span, pack('<dd', filled, now), us
end
`

const sliding = `
-- A window of 32 slots, of which the one that is leaving counts whole until it is gone; one slot more for what is leased
-- now and may be spent in the next; and the burst beside it.
local slots, ring, header = 32, 34, 32
local numbers = '<${'I4'.repeat(34)}'

local function countsOf(text)
  if text then return { unpacked(numbers, text, header + 1) } end
  local counts = {}
  for i = 1, ring do counts[i] = 0 end
  return counts
end

-- The counts when this slot is the newest, and what they come to.
local function turned(text, total, newest, slot)
  local gone = slot - newest
  if gone < 0 or gone >= ring then
    local counts = countsOf()
    if gone > 0 then return counts, 0 end
    counts[slot % ring + 1] = total
    return counts, total
  end
  local counts = countsOf(text)
  for behind = newest + 2, slot + 1 do
    local left = behind % ring + 1
    total = total - counts[left]
    counts[left] = 0
  end
  return counts, total
end

function kinds.s(key, limit, window, burst, cost, ask, span)
  local brim = burst * window
  local slotUs = window / slots
  local slot = floor(now / slotUs)
  local level, total, counts = 0, 0, nil
  local text = call('GET', key)
  if text then
    local at, newest
    level, at, newest, total = unpacked('<dddd', text)
    if now > at then level = max(0, level - (now - at) * limit) end
    if newest ~= slot then counts, total = turned(text, total, newest, slot) end
    if at > now then
      counts = counts or countsOf(text)
      text = pack('<dddd', level, now, slot, total) .. pack(numbers, unpack(counts))
      keep(key, text, max((slot + slots + 2) * slotUs - now, level / limit))
    end
  else
    counts = countsOf()
  end
  local filled = level + cost * window
  local wait = filled > brim and ceil((filled - brim) / limit) or 0
  if total + cost > limit then
    counts = counts or countsOf(text)
    local left = total
    local longer = window
    for leaving = slot - slots, slot + 1 do
      left = left - counts[leaving % ring + 1]
      if left + cost <= limit then
        longer = ceil((leaving + slots + 1) * slotUs - now)
        break
      end
    end
    wait = max(wait, longer)
  end
  if wait > 0 then
    counts = counts or countsOf(text)
    local last = slot + 1
    while last >= slot - slots and counts[last % ring + 1] == 0 do last = last - 1 end
    return wait, min(limit - total, (brim - level) / window), (last + slots + 1) * slotUs - now, 0
  end
  local units = 0
  if ask ~= '0' then
    local ahead = max(filled, span * limit)
    units = leased(tonumber(ask), cost, min((brim - ahead) / window, limit - total - cost))
    if units > 0 then filled = ahead + units * window end
  end
  total = total + cost + units
  local after, own = (slot + 1) % ring, slot % ring
  local kept, isAhead
  if counts or units > 0 then
    counts = counts or countsOf(text)
    counts[own + 1] = counts[own + 1] + cost
    if units > 0 then
      local last = floor((now + span) / slotUs) % ring + 1
      counts[last] = counts[last] + units
    end
    isAhead = counts[after + 1] > 0
    kept = pack(numbers, unpack(counts))
  else
    local at = header + own * 4
    isAhead = unpacked('<I4', text, header + after * 4 + 1) > 0
    kept = text:sub(header + 1, at) .. pack('<I4', unpacked('<I4', text, at + 1) + cost) .. text:sub(at + 5)
  end
  local gone = (slot + slots + 1) * slotUs - now
  return 0, min(limit - total, (brim - filled) / window), isAhead and gone + slotUs or gone, units, span,
    pack('<dddd', filled, now, slot, total) .. kept, max(gone + slotUs, filled / limit)
end
`

const fixed = `
-- Windows begin on the clock. A lease ends with its window.
function kinds.f(key, limit, window, burst, cost, ask, span)
  local index = floor(now / window)
  local over = (index + 1) * window - now
  local total = 0
  local text = call('GET', key)
  if text then
    local counted, count = unpacked('<dd', text)
    if counted >= index then total = count end
    if counted > index then keep(key, pack('<dd', index, total), over) end
  end
  if total + cost > limit then return over, limit - total, over, 0 end
  total = total + cost
  local units = 0
  if ask ~= '0' then
    span = min(span, over)
    units = leased(tonumber(ask), cost, limit - total)
    total = total + units
  end
  return 0, limit - total, over, units, span, pack('<dd', index, total), over
end
`

const log = `
-- The moment of every unit, the oldest first.
local chunk = 64

function kinds.l(key, limit, window, burst, cost)
  local newest = tonumber(call('LINDEX', key, -1) or 0)
  if newest > now then
    local text = string.format('%.0f', now)
    local size = call('LLEN', key)
    call('DEL', key)
    for i = 1, size do call('RPUSH', key, text) end
    call('PEXPIRE', key, string.format('%.0f', ceil(window / 1000) + 1))
    newest = now
  end
  local gone
  repeat
    gone = 0
    local oldest = call('LRANGE', key, 0, chunk - 1)
    while gone < #oldest and oldest[gone + 1] + window <= now do gone = gone + 1 end
    if gone > 0 then call('LTRIM', key, gone, -1) end
  until gone < chunk
  local total = call('LLEN', key)
  if total + cost > limit then
    return call('LINDEX', key, total + cost - limit - 1) + window - now, limit - total, newest + window - now, 0
  end
  return 0, limit - total - cost, window, 0
end

function writing.l(key, window, cost)
  local text = string.format('%.0f', now)
  for i = 1, cost do call('RPUSH', key, text) end
  call('PEXPIRE', key, string.format('%.0f', ceil(window / 1000) + 1))
end
`

const concurrency = `
-- Who is inside, and until when that is believed without being told again.
function kinds.c(key, limit, window, burst, cost)
  call('ZREMRANGEBYSCORE', key, '-inf', string.format('%.0f', now))
  local total = call('ZCARD', key)
  if total + cost > limit then return 1000000, limit - total, 0, 0 end
  return 0, limit - total - cost, 0, 0
end

function writing.c(key, window, cost, id, span)
  for i = 1, cost do call('ZADD', key, string.format('%.0f', now + span), id .. ':' .. i) end
  call('PEXPIRE', key, string.format('%.0f', ceil(span / 1000) + 1))
end
`

const counting: Readonly<Record<Kind, string>> = { b: bucket, s: sliding, f: fixed, l: log, c: concurrency }

const ending = `
local texts, lasts, answer, faults = {}, {}, {}, {}, {}

local function serve(count, first, at)
  local passes = true
  for i = 1, count do
    local own = at + (i - 1) * ${sentPerClaim}
    local of = tonumber(ARGV[own])
    local wait, left, reset, units, span, text, us = kinds[ARGV[of]](
      KEYS[first + i], tonumber(ARGV[of + 1]), tonumber(ARGV[of + 2]), tonumber(ARGV[of + 3]),
      tonumber(ARGV[own + 1]), ARGV[own + 2], tonumber(ARGV[of + 4])
    )
    if wait > 0 then passes = false end
    texts[i], lasts[i] = text, us
    answer[first + i] = pack('<ddddd', ceil(wait), max(0, floor(left)), max(0, ceil(reset)), units, floor(span or 0))
  end
  if not passes then return end
  for i = 1, count do
    local key = KEYS[first + i]
    if texts[i] then
      keep(key, texts[i], lasts[i])
    else
      local own = at + (i - 1) * ${sentPerClaim}
      local of = tonumber(ARGV[own])
      writing[ARGV[of]](key, tonumber(ARGV[of + 2]), tonumber(ARGV[own + 1]), ARGV[own + 2], tonumber(ARGV[of + 4]))
    end
  end
end

local served = 0
local next = tonumber(ARGV[1])
while served < #KEYS do
  local count = tonumber(ARGV[next])
  local well, why = pcall(serve, count, served, next + 1)
  if not well then
    for i = 1, count do answer[served + i] = pack('<ddddd', -1, 0, 0, 0, 0) end
    faults[#faults + 1] = type(why) == 'table' and why.err or tostring(why)
  end
  served = served + count
  next = next + 1 + count * ${sentPerClaim}
end
return { table.concat(answer), unpack(faults) }
`

/** Says of holds that they last: for each key an id and a cost, after the time that they are believed for (µs). */
export const refreshScript: Script = script(`
local time = redis.call('TIME')
local untilUs = time[1] * 1000000 + time[2] + ARGV[1]
for i = 1, #KEYS do
  for unit = 1, tonumber(ARGV[2 * i + 1]) do
    redis.call('ZADD', KEYS[i], string.format('%.0f', untilUs), ARGV[2 * i] .. ':' .. unit)
  end
  redis.call('PEXPIRE', KEYS[i], string.format('%.0f', math.ceil(ARGV[1] / 1000) + 1))
end
return #KEYS
`)

/** Says that a node lives, for the time that it is believed (µs), and answers how many do. */
export const beatScript: Script = script(`
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now))
redis.call('ZADD', KEYS[1], string.format('%.0f', now + ARGV[2]), ARGV[1])
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', math.ceil(ARGV[2] / 1000) + 1))
return redis.call('ZCARD', KEYS[1])
`)
