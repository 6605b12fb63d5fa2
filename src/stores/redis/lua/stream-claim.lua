-- Becomes the one writer of a stream, unless another life is and has runs in it that have not ended.
-- KEYS[1] the stream, KEYS[2] :new of the user (stream-state.lua).
-- ARGV[1] a fresh epoch, [2] always (shared/line.lua), [3] node and [4] incarnation of the asker or "" and "", [5] token that may be seized
-- or "", [6] channel for the news, [7] who tells them.
-- Answer: { "ok" | "held", token, node and incarnation that hold it, epoch, first, head, active run, its first offset } | { "ask" }.
-- needs: time stream line fresh

local fresh, always, node, incarnation, seize = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]

local function answer(is, token, ofNode, ofIncarnation)
  local reply = { is, token, ofNode, ofIncarnation }
  for _, part in ipairs(state()) do reply[#reply + 1] = part end
  return reply
end

if isKnown then
  local writer = redis.call('HMGET', STREAM, 'n', 'i')
  local isAnothers = node ~= '' and writer[1] and writer[1] ~= '' and not (writer[1] == node and writer[2] == incarnation)
  if isAnothers and stream.open > 0 and seize ~= whole(stream.token) then return answer('held', whole(stream.token), writer[1], writer[2]) end
  local is, line = continuity(stream.line, stream.written, always)
  if is == 'ask' then return { 'ask' } end
  stream.line = line
  if is == 'lost' then stream.epoch = fresh end
else
  if epochOfNew(KEYS[2], fresh, always) == 'ask' then return { 'ask' } end
  redis.call('PERSIST', KEYS[2])
end
-- Rises also over a loss of all data, as long as the clock does.
local token = whole(math.max(stream.token + 1, nowUs))
redis.call('HSET', STREAM, 'e', stream.epoch, 'l', stream.line, 't', token, 'n', node, 'i', incarnation, 'h', whole(stream.head), 'f', whole(stream.first),
  'b', whole(stream.bytes), 'a', whole(now), 'o', whole(stream.open))
redis.call('PUBLISH', ARGV[6], ARGV[7] .. ' ' .. stream.epoch .. ' ' .. whole(stream.head))
return answer('ok', token, '', '')
