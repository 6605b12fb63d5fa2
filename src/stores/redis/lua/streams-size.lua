-- Notes how large streams have become, each time one has doubled.
-- KEYS[1] zset, stream -> bytes, more than half of what it has. ARGV: of each stream bytes, name. Answer: 1.

for i = 1, #ARGV, 2 do redis.call('ZADD', KEYS[1], 'GT', ARGV[i], ARGV[i + 1]) end
return 1
