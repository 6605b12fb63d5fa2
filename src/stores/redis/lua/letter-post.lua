-- Puts a letter into a node's box and takes out those that nobody will read any more.
-- KEYS[1] stream. ARGV[1] letter, ARGV[2] most letters of a box, ARGV[3] how long one is kept, in ms.
-- Answer: its id.
-- needs: time

local id = redis.call('XADD', KEYS[1], 'MAXLEN', ARGV[2], '*', 'letter', ARGV[1])
redis.call('XTRIM', KEYS[1], 'MINID', whole(now - tonumber(ARGV[3])))
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return id
