-- Streams that may have something to drop, longest waiting first.
-- KEYS[1] zset of ages, KEYS[2] zset of sizes. ARGV[1] keepMs, [2] streamBytes, [3] how many of each at most, [4] how many to skip.
-- Answer: { names and ages of the old ones, names and sizes of the large ones }.
-- needs: time

return {
  redis.call('ZRANGE', KEYS[1], '-inf', whole(now - tonumber(ARGV[1])), 'BYSCORE', 'LIMIT', ARGV[4], ARGV[3], 'WITHSCORES'),
  redis.call('ZRANGE', KEYS[2], '(' .. string.format('%.17g', tonumber(ARGV[2]) / 2), '+inf', 'BYSCORE', 'LIMIT', ARGV[4], ARGV[3], 'WITHSCORES'),
}
