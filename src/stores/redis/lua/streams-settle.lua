-- Corrects what was noted of streams, where nobody has noted anything since.
-- KEYS[1] a zset of streams. ARGV: of each stream its name, the score that was read, the new one or "" to take it out. Answer: 1.

for i = 1, #ARGV, 3 do
  local score = redis.call('ZSCORE', KEYS[1], ARGV[i])
  if score and tonumber(score) == tonumber(ARGV[i + 1]) then
    -- Taken out first: of a full server's scripts, those may write that begin by giving something back.
    redis.call('ZREM', KEYS[1], ARGV[i])
    if ARGV[i + 2] ~= '' then redis.call('ZADD', KEYS[1], ARGV[i + 2], ARGV[i]) end
  end
end
return 1
