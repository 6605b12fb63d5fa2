-- Applies retention to one stream, a piece at a time.
-- KEYS[1] the stream, [2] :log, [3] :bytes, [4] :open, [5] :runs of the user.
-- ARGV[1] keepMs, [2] streamBytes, [3] entries to look at, at most.
-- Answer: { "1" if it dropped something, first, "1" if there may be more to drop, when its oldest entry came to its end (now, while its run
-- goes on) or "" with no entries, bytes }.
-- needs: time stream

local LOG, BYTES, OPEN, RUNS = KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local keepMs, streamBytes, most = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local PIECE = 32

local open, ended = {}, {}
local openBytes = 0
for _, run in ipairs(redis.call('ZRANGE', OPEN, 0, -1)) do
  open[run] = true
  openBytes = openBytes + tonumber(redis.call('HGET', BYTES, run) or 0)
end
local endedBytes = stream.bytes - openBytes

-- When an entry came to its end; nil while its run goes on.
local function endOf(run, storedAt)
  if not run then return storedAt end
  if open[run] then return nil end
  if ended[run] == nil then
    local known = redis.call('HGET', RUNS, run)
    ended[run] = known and string.match(known, '^%S+ (%S+)') or '-'
  end
  return tonumber(ended[run]) or storedAt
end

local upTo, dropped, looked, nextEnd = 0, 0, 0, ''
local ofRuns = {}
local isOver, more = false, false
local from = '-'
while not isOver do
  local found = redis.call('XRANGE', LOG, from, '+', 'COUNT', PIECE)
  for _, entry in ipairs(found) do
    local fields = entry[2]
    local run = string.match(fields[2], '^%S+ %S+ (.+)$')
    local at = endOf(run, tonumber(fields[6]))
    local isOld = at ~= nil and at <= now - keepMs
    if at == nil or (not isOld and endedBytes - dropped <= streamBytes) then
      nextEnd, isOver = whole(at or now), true
      break
    end
    if looked >= most then
      nextEnd, isOver, more = whole(at), true, true
      break
    end
    looked = looked + 1
    local size = #fields[8]
    upTo = tonumber(string.match(entry[1], '^(%d+)'))
    dropped = dropped + size
    if run then ofRuns[run] = (ofRuns[run] or 0) + size end
  end
  if #found < PIECE then isOver = true end
  if not isOver then from = '(' .. found[#found][1] end
end

if upTo > 0 then
  redis.call('XTRIM', LOG, 'MINID', whole(upTo + 1))
  for run, size in pairs(ofRuns) do
    if redis.call('HINCRBY', BYTES, run, -size) <= 0 then redis.call('HDEL', BYTES, run) end
  end
  stream.first = upTo + 1
  stream.bytes = stream.bytes - dropped
  redis.call('HSET', STREAM, 'f', whole(stream.first), 'b', whole(stream.bytes))
end
if nextEnd == '' then
  -- An empty Redis Stream would take half a kilobyte.
  redis.call('DEL', LOG)
  redis.call('HDEL', STREAM, 'x')
end
return { upTo > 0 and '1' or '0', whole(stream.first), more and '1' or '0', nextEnd, whole(stream.bytes) }
