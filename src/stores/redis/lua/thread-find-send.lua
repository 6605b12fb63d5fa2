-- The message stored under a client's key, and the run that answers it.
-- KEYS[1] :sends, [2] :messages, [3] :runs of the user. ARGV[1] "s" and the key.
-- Answer: { what :messages holds, id of the run, what :runs holds } or {}.

local message = redis.call('HGET', KEYS[1], ARGV[1])
local run = message and redis.call('HGET', KEYS[1], 'm' .. message)
if not run then return {} end
return { redis.call('HGET', KEYS[2], message), run, redis.call('HGET', KEYS[3], run) }
