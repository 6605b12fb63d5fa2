-- Begins a new epoch of a stream.
-- KEYS[1] the stream, [2] :log, [3] :bytes, [4] :new of the user, [5] :messages, [6] :runs of the user.
-- ARGV[1] the epoch, [2] "1" to keep the entries, [3] thread, [4] channel for the news, [5] who tells them.
-- Answer: the state, see stream-state.lua.
-- needs: time stream line

stream.epoch = ARGV[1]
if ARGV[2] == '0' then
  stream.head, stream.first, stream.bytes, stream.runFirst = 0, 1, 0, ''
  redis.call('DEL', KEYS[2], KEYS[3])
  local messages = redis.call('HGETALL', KEYS[5])
  for i = 1, #messages, 2 do redis.call('HSET', KEYS[5], messages[i], (string.gsub(messages[i + 1], '^%S+', '0', 1))) end
  local runs = redis.call('HGETALL', KEYS[6])
  for i = 1, #runs, 2 do
    local start, thread, rest = string.match(runs[i + 1], '^(%S+ %S+ %S+) %S+ %S+ (%S+)( .*)$')
    if thread == ARGV[3] then redis.call('HSET', KEYS[6], runs[i], start .. ' - - ' .. thread .. rest) end
  end
end
redis.call('HSET', STREAM, 'e', stream.epoch, 'l', lineHere(), 't', whole(stream.token), 'h', whole(stream.head), 'f', whole(stream.first),
  'b', whole(stream.bytes), 'a', whole(now), 'o', whole(stream.open), 's', stream.runFirst)
if not isKnown then redis.call('PERSIST', KEYS[4]) end
redis.call('PUBLISH', ARGV[4], ARGV[5] .. ' ' .. stream.epoch .. ' ' .. whole(stream.head))
return state()
