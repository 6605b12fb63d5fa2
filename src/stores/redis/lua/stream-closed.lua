-- Notes of a stream that it is no longer among those with open runs, if it has none.
-- KEYS[1] the stream. Answer: "1" if it has none, else "0".
-- needs: time stream

if stream.open > 0 then return '0' end
redis.call('HDEL', STREAM, 'y')
return '1'
