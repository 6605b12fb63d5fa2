-- Streams noted for some time to have runs that have not ended.
-- KEYS[1] zset, stream -> when that was noted. ARGV[1] how long ago at least, in ms, [2] how many at most, [3] how many to skip.
-- Answer: { now, names and when }.
-- needs: time

return { whole(now), redis.call('ZRANGE', KEYS[1], '-inf', whole(now - tonumber(ARGV[1])), 'BYSCORE', 'LIMIT', ARGV[3], ARGV[2], 'WITHSCORES') }
