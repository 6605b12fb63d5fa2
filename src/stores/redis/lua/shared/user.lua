-- The seats, tickets and burst of one user, as in user-seats.ts. Every script about seats has the same keys:
--   KEYS[1] :s zset, manager -> end of its lease     KEYS[4] :t hash, manager -> "token until reason" of its tombstone
--   KEYS[2] :m hash, manager -> its seat, JSON       KEYS[5] :b hash, burst, limits of the latest call, when to sweep
--   KEYS[3] :f last token                            KEYS[6] :q queue, JSON
--   ARGV[1] limits "soft hard burstForMs coolDownMs debtMaxMs places waitMs promiseMs ttlMs tombstoneMs", or "" for those of the latest call

local LEASES, SEATS, TOKEN, STONES, BURST, QUEUE = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local TICKET_LINGERS_MS = 5000
-- Above any step of a server's clock that somebody makes by mistake.
local TOKEN_KEPT_MS = 604800000
-- Tombstones from which on those that have run out are looked for; later at each doubling, so that many cost no more each than few.
local STONES_UNSWEPT = 16
-- With more of them the user is not forgotten yet: to look at all would take longer than to keep a few numbers.
local STONES_COUNTED = 64
local SLACK_MS = 60000

local function readLimits(text)
  if not text or text == '' then return nil end
  local n = {}
  for part in string.gmatch(text, '%S+') do n[#n + 1] = tonumber(part) end
  return {
    text = text, soft = n[1], hard = n[2], burstForMs = n[3], coolDownMs = n[4], debtMaxMs = n[5],
    places = n[6], waitMs = n[7], promiseMs = n[8], ttlMs = n[9], tombstoneMs = n[10],
  }
end

local kept = redis.call('HMGET', BURST, 'state', 'limits', 'sweepAt')
local keptQueue = redis.call('GET', QUEUE)
local limits = readLimits(ARGV[1]) or readLimits(kept[2])
local burst = readBurst(kept[1])
local queue = keptQueue and cjson.decode(keptQueue) or emptyQueue()
local count = redis.call('ZCARD', LEASES)
local cap = 0
-- What has to be written back.
local isQueueChanged = false
local isLeaseGiven = false

local function step(want, at)
  if limits == nil then return false end
  local granted
  burst, cap, granted = stepBurst(burst, count, want, limits, at)
  return granted
end

local function seatOf(manager)
  local text = redis.call('HGET', SEATS, manager)
  return text and cjson.decode(text) or nil
end

local function stoneOf(manager)
  local text = redis.call('HGET', STONES, manager)
  if not text then return nil end
  local token, till, reason = string.match(text, '^(%d+) (%d+) (.*)$')
  if tonumber(till) <= now then return nil end
  return { token = tonumber(token), reason = reason }
end

-- Returns how many are left.
local function sweepStones()
  local left = 0
  local stones = redis.call('HGETALL', STONES)
  for i = 1, #stones, 2 do
    if tonumber(string.match(stones[i + 1], '^%d+ (%d+)')) <= now then redis.call('HDEL', STONES, stones[i]) else left = left + 1 end
  end
  return left
end

local function bury(manager, token, reason)
  local keptMs = limits and limits.tombstoneMs or 0
  if redis.call('HLEN', STONES) >= (tonumber(kept[3]) or STONES_UNSWEPT) then
    redis.call('HSET', BURST, 'sweepAt', math.max(STONES_UNSWEPT, 2 * sweepStones()))
  end
  redis.call('HSET', STONES, manager, token .. ' ' .. whole(now + keptMs) .. ' ' .. reason)
  redis.call('PEXPIRE', STONES, whole(math.max(keptMs, 1)), 'NX')
  redis.call('PEXPIRE', STONES, whole(math.max(keptMs, 1)), 'GT')
end

local function removeSeat(manager)
  redis.call('ZREM', LEASES, manager)
  redis.call('HDEL', SEATS, manager)
  count = count - 1
end

local function freeSeat(manager, at)
  step(false, at)
  removeSeat(manager)
  step(false, at)
  if noteRelease(queue, at) then isQueueChanged = true end
end

local function isEmpty()
  if count > 0 or #queue.tickets > 0 or #queue.promises > 0 or burst.is ~= 'none' then return false end
  return redis.call('HLEN', STONES) <= STONES_COUNTED and sweepStones() == 0
end

-- The server's clock was set back: nothing lasts longer than it could be given now. Without it a ticket or lease of somebody who is gone
-- would stand for as long as the clock was set back.
local function heedStep()
  local last = redis.call('ZRANGE', LEASES, -1, -1, 'WITHSCORES')[2]
  local most = now + math.max(limits and limits.ttlMs or 0, tonumber(ARGV[2]) or 0)
  if last and tonumber(last) > most + SLACK_MS then
    for _, manager in ipairs(redis.call('ZRANGE', LEASES, '(' .. whole(most), '+inf', 'BYSCORE')) do redis.call('ZADD', LEASES, whole(most), manager) end
  end
  if limits == nil then return end
  local burstMs = burst.is == 'active' and limits.burstForMs or limits.coolDownMs
  if burst.till ~= nil and burst.till > now + burstMs + SLACK_MS then burst.till = now + burstMs end
  for _, ticket in ipairs(queue.tickets) do
    if ticket.deadline > now + limits.waitMs + SLACK_MS then ticket.issuedAt, ticket.deadline, isQueueChanged = now, now + limits.waitMs, true end
  end
  local latest = now + limits.waitMs * (PROMISES_PER_PLACE + 2) + SLACK_MS
  for _, promise in ipairs(queue.promises) do
    if promise.at > latest then promise.at, isQueueChanged = now, true end
  end
  local newest = queue.lastReleases[#queue.lastReleases]
  if newest ~= nil and newest > now + SLACK_MS then queue.lastReleases, queue.lastWaits, isQueueChanged = {}, {}, true end
end

-- Drops what has run out. Leases end one by one at their own instants, so that a debt is repaid when it was.
local function settle()
  heedStep()
  local ended = redis.call('ZRANGE', LEASES, '-inf', whole(now), 'BYSCORE', 'WITHSCORES')
  for i = 1, #ended, 2 do freeSeat(ended[i], tonumber(ended[i + 1])) end
  step(false, now)
  if limits ~= nil and (#queue.tickets > 0 or #queue.promises > 0) then
    local tickets = filtered(queue.tickets, function(ticket) return ticket.deadline + TICKET_LINGERS_MS > now end)
    local promises = filtered(queue.promises, function(promise) return promise.at + limits.promiseMs >= now end)
    if #tickets < #queue.tickets or #promises < #queue.promises then isQueueChanged = true end
    queue.tickets, queue.promises = tickets, promises
  end
  -- Who is left with nothing is forgotten.
  if (kept[1] or keptQueue) and isEmpty() then
    queue, isQueueChanged = emptyQueue(), true
    limits = readLimits(ARGV[1])
    if limits == nil then cap = 0 end
  end
end

local function kindOfNext()
  if limits == nil or count < limits.soft then return 'soft' end
  return 'burst'
end

local function nextToken()
  local last = tonumber(redis.call('GET', TOKEN) or '0')
  local token = whole(math.max(last + 1, nowUs))
  redis.call('SET', TOKEN, token, 'PX', TOKEN_KEPT_MS)
  return token
end

local function writeSeat(manager, seat, ttlMs)
  redis.call('HSET', SEATS, manager, cjson.encode(seat))
  redis.call('ZADD', LEASES, whole(now + ttlMs), manager)
  isLeaseGiven = true
end

-- Writes back what changed, or forgets the user.
local function keep()
  if isEmpty() then
    if kept[1] or keptQueue then redis.call('DEL', LEASES, SEATS, STONES, BURST, QUEUE) end
    return
  end
  local state = writeBurst(burst)
  local isBurstChanged = state ~= kept[1] or (limits ~= nil and limits.text ~= kept[2])
  if isBurstChanged then redis.call('HSET', BURST, 'state', state, 'limits', limits and limits.text or '') end
  if isQueueChanged then redis.call('SET', QUEUE, cjson.encode(queue)) end
  if not (isBurstChanged or isQueueChanged or isLeaseGiven) then return end
  local horizonMs = tonumber(ARGV[2]) or 0
  if limits ~= nil then
    horizonMs = math.max(horizonMs, limits.ttlMs) + limits.burstForMs + limits.coolDownMs + limits.tombstoneMs
    horizonMs = horizonMs + limits.waitMs * (PROMISES_PER_PLACE + 2) + limits.promiseMs
  end
  for _, key in ipairs({ LEASES, SEATS, BURST, QUEUE }) do redis.call('PEXPIRE', key, whole(horizonMs + SLACK_MS)) end
end

-- All seats, after everything else is done: { now, cap, burst, queue, [manager, seat, ...] }.
local function facts()
  local seats = redis.call('HGETALL', SEATS)
  local state = writeBurst(burst)
  local line = cjson.encode(queue)
  keep()
  return { whole(now), whole(cap), state, line, seats }
end
