-- Notes that streams will be written to: whoever looks for entries to drop, or for runs, finds them here. Done before a stream says of
-- itself that it is noted; what is noted may be there in vain.
-- KEYS[1] zset, stream -> when its oldest entry came to its end, or earlier. KEYS[2] zset, stream with open runs -> when that was noted.
-- ARGV: of each stream its name, "1" if a run of it may be open. Answer: 1.
-- needs: time

-- Whoever has read an earlier score takes nothing out.
local A_LITTLE_MS = 0.001

local function note(key, name)
  local score = redis.call('ZSCORE', key, name)
  redis.call('ZADD', key, score and string.format('%.17g', tonumber(score) - A_LITTLE_MS) or string.format('%.3f', nowUs / 1000), name)
end

for i = 1, #ARGV, 2 do
  note(KEYS[1], ARGV[i])
  if ARGV[i + 1] == '1' then note(KEYS[2], ARGV[i]) end
end
return 1
