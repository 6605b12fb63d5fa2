-- Common to appends, with and without records.
--   KEYS[1] the stream, KEYS[2] its log, KEYS[3] bytes of each run in it
--   ARGV[1] epoch, [2] token, [3] an epoch to begin if the data is not what it was, [4] always (shared/line.lua), [5] channel for the news,
--   [6] who tells them, [7] "1" after streams-touch.lua, [8] number of entries (-1: they do not join, or cannot be stored), [9] offset of the
--   first, then of each entry: "kind codec run" (kind a or m; no run: "kind codec"), at, data.
-- Answer: { "ok", bytes of the stream } | { "repeated" } | { "fenced" } | { "conflict", state… } | { "unknown" }: nobody claimed it |
--   { "ask" }: tell `always`, { "touch" }: run streams-touch.lua first; nothing was done.

local LOG, BYTES = KEYS[2], KEYS[3]
local ENTRIES_AT = 10
-- For how long it is believed that a stream is noted. That stands on another server of a cluster, which may have lost it alone.
local NOTED_MS = 600000
local total = tonumber(ARGV[8])
local offset = tonumber(ARGV[9])

local function conflict()
  local answer = state()
  table.insert(answer, 1, 'conflict')
  return answer
end

local function tell()
  redis.call('PUBLISH', ARGV[5], ARGV[6] .. ' ' .. stream.epoch .. ' ' .. whole(stream.head))
end

-- What has been dropped since counts as the same: with this token and epoch nobody else can have written it.
local function isStored()
  local last = offset + total - 1
  if last > stream.head then return false end
  local from = math.max(offset, stream.first)
  if from > last then return true end
  local found = redis.call('XRANGE', LOG, whole(from) .. '-0', whole(last) .. '-0')
  if #found ~= last - from + 1 then return false end
  for i, entry in ipairs(found) do
    local at = ENTRIES_AT + 3 * (from - offset + i - 1)
    local fields = entry[2]
    if fields[2] ~= ARGV[at] or fields[4] ~= ARGV[at + 1] or fields[8] ~= ARGV[at + 2] then return false end
  end
  return true
end

-- Whether the stream may say of itself that it is noted. What is noted is noted between two calls: if somebody has cleared up meanwhile,
-- and taken the mark of the first call away, it may be noted no more.
local function noted(field, mark)
  if (tonumber(mark) or 0) > now - NOTED_MS then return true end
  local isTouched = ARGV[7] == '1' and mark == '0'
  redis.call('HSET', STREAM, field, isTouched and whole(now) or 0)
  return isTouched
end

-- The answer of a request that is not applied, or nil. `hasOpen`: it brings runs that have not ended.
local function refusal(hasOpen)
  local token = tonumber(ARGV[2])
  if token < math.max(stream.token, 1) then return { 'fenced' } end
  if not isKnown then return { 'unknown' } end
  if token > stream.token then return conflict() end
  local is, line = continuity(stream.line, stream.written, ARGV[4])
  if is == 'ask' then return { 'ask' } end
  if is == 'lost' then
    stream.epoch = ARGV[3]
    redis.call('HSET', STREAM, 'e', stream.epoch, 'l', line, 'a', whole(now))
    tell()
    return conflict()
  end
  stream.line = line
  if ARGV[1] ~= stream.epoch or total < 0 then return conflict() end
  if total > 0 and offset ~= stream.head + 1 then return isStored() and { 'repeated' } or conflict() end
  local isNoted = total == 0 or noted('x', stream.noted)
  if hasOpen then isNoted = noted('y', stream.openNoted) and isNoted end
  if not isNoted then return { 'touch' } end
  return nil
end

local function put()
  local bytes, ofRun = 0, 0
  local head, run
  for i = 0, total - 1 do
    local at = ENTRIES_AT + 3 * i
    if ARGV[at] ~= head then
      if run and ofRun > 0 then redis.call('HINCRBY', BYTES, run, ofRun) end
      head, ofRun = ARGV[at], 0
      run = string.match(head, '^%S+ %S+ (.+)$')
    end
    local data = ARGV[at + 2]
    redis.call('XADD', LOG, whole(offset + i) .. '-0', 'h', head, 't', ARGV[at + 1], 's', whole(now), 'd', data)
    bytes = bytes + #data
    ofRun = ofRun + #data
  end
  if run and ofRun > 0 then redis.call('HINCRBY', BYTES, run, ofRun) end
  stream.head = stream.head + total
  stream.bytes = stream.bytes + bytes
  redis.call('HSET', STREAM, 'h', whole(stream.head), 'b', whole(stream.bytes), 'a', whole(now), 'l', stream.line)
end
