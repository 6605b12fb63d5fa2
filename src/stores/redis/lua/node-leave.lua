-- Takes a node's card away, if it is of this life.
-- KEYS[1]: see node-beat.lua. ARGV[1] node, ARGV[2] incarnation.
-- Answer: 1 if it was.

local field = 'node:' .. ARGV[1]
local kept = redis.call('HGET', KEYS[1], field)
if not kept then return 0 end
local card = cjson.decode(string.match(kept, '^%d+ (.*)$'))
if card.incarnation ~= ARGV[2] then return 0 end
return redis.call('HDEL', KEYS[1], field)
