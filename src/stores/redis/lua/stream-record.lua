-- Appends entries to one stream together with what changes in its thread, all or none.
-- KEYS[1..3], ARGV and answer: see shared/writing.lua.
-- KEYS[4] :open zset, run that has not ended -> order of arrival     KEYS[8] :sends hash, "s" key of a send -> message, "m" message -> run
-- KEYS[5] :runs of the user, hash, run -> "order ended|- state first|- last|- thread json"
-- KEYS[6] :order zset, message -> order of arrival                   KEYS[9] :threads of the user, zset, thread -> updatedAt
-- KEYS[7] :messages hash, message -> "offset complete json"          KEYS[10] :titles of the user, hash, thread -> "createdAt title"
-- ARGV behind the entries: thread, title or "", "1" if there is a title, createdAt and updatedAt or "" and "", number of messages, of each: id, offset,
-- "1" if complete, "s" and key of the send or "", json; number of runs, of each: id, message, state, first and last offset or "-", json.
-- needs: time stream line writing

local OPEN, RUNS, ORDER, MESSAGES, SENDS, THREADS, TITLES = KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10]
local at = ENTRIES_AT + 3 * math.max(total, 0)
local function take()
  at = at + 1
  return ARGV[at - 1]
end
local thread, title, hasTitle, createdAt, updatedAt = take(), take(), take(), take(), take()

local messages = {}
for i = 1, tonumber(take()) do
  messages[i] = { id = take(), offset = take(), complete = take(), send = take(), json = take() }
end
local runs = {}
local hasOpen, isElsewhere = false, false
for i = 1, tonumber(take()) do
  local run = { id = take(), message = take(), state = take(), first = take(), last = take(), json = take() }
  local known = redis.call('HGET', RUNS, run.id)
  if known then
    local order, ended, _, _, _, ofThread = string.match(known, '^(%S+) (%S+) (%S+) (%S+) (%S+) (%S+) ')
    isElsewhere = isElsewhere or ofThread ~= thread
    run.order, run.ended = order, ended
  end
  hasOpen = hasOpen or run.state ~= 'ended'
  runs[i] = run
end

local no = refusal(hasOpen)
if no then return no end
-- A run has one thread.
if isElsewhere then return conflict() end
put()

for _, m in ipairs(messages) do
  if not redis.call('ZSCORE', ORDER, m.id) then redis.call('ZADD', ORDER, redis.call('HINCRBY', STREAM, 'm', 1), m.id) end
  redis.call('HSET', MESSAGES, m.id, m.offset .. ' ' .. m.complete .. ' ' .. m.json)
  if m.send ~= '' then redis.call('HSETNX', SENDS, m.send, m.id) end
end

-- Runs arrive in the order of the clock, and of the stream where that stands still.
local order = #runs > 0 and math.max(nowUs, tonumber(redis.call('HGET', STREAM, 'z') or 0) + 1) or 0
for _, r in ipairs(runs) do
  if not r.order then
    r.order = whole(order)
    order = order + 1
  end
  local isOpen = r.state ~= 'ended'
  local ended = '-'
  if not isOpen then ended = (r.ended and r.ended ~= '-') and r.ended or whole(now) end
  redis.call('HSET', RUNS, r.id, table.concat({ r.order, ended, r.state, r.first, r.last, thread, r.json }, ' '))
  redis.call('HSETNX', SENDS, 'm' .. r.message, r.id)
  if isOpen then redis.call('ZADD', OPEN, r.order, r.id) else redis.call('ZREM', OPEN, r.id) end
end
if #runs > 0 then
  local open = redis.call('ZRANGE', OPEN, 0, -1)
  local active, activeFirst = '', ''
  for _, id in ipairs(open) do
    local state, first = string.match(redis.call('HGET', RUNS, id), '^%S+ %S+ (%S+) (%S+)')
    if active == '' or state == 'running' then
      active, activeFirst = id, first == '-' and '' or first
      if state == 'running' then break end
    end
  end
  stream.open = #open
  redis.call('HSET', STREAM, 'o', #open, 'r', active, 's', activeFirst, 'z', whole(order))
end

if createdAt ~= '' then
  redis.call('HSETNX', TITLES, thread, createdAt .. ' ')
  redis.call('ZADD', THREADS, 'GT', updatedAt, thread)
end
if hasTitle == '1' then
  local known = redis.call('HGET', TITLES, thread)
  if known then redis.call('HSET', TITLES, thread, string.match(known, '^%S+ ') .. title) end
end
tell()
return { 'ok', whole(stream.bytes) }
