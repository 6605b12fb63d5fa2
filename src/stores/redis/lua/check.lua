-- Tries each command that the scripts use, on a key that nobody needs.
-- KEYS[1] probe. ARGV: none.
-- Answer: the commands that were refused to this user. Fails as any write would while the server takes none.

local key = KEYS[1]
local tried = {
  { 'TIME' }, { 'DEL', key }, { 'SET', key, '1', 'PX', '1000' }, { 'GET', key }, { 'PEXPIRE', key, '1000' }, { 'EXISTS', key }, { 'DEL', key },
  { 'HSET', key, 'a', '1' }, { 'HSETNX', key, 'a', '1' }, { 'HGET', key, 'a' }, { 'HMGET', key, 'a' }, { 'HGETALL', key }, { 'HLEN', key },
  { 'HINCRBY', key, 'n', '1' }, { 'HEXISTS', key, 'a' }, { 'PTTL', key }, { 'PERSIST', key },
  { 'HDEL', key, 'a' }, { 'ZADD', key, '1', 'a' }, { 'ZCARD', key }, { 'ZSCAN', key, '0' }, { 'ZRANGE', key, '0', '1' }, { 'ZSCORE', key, 'a' }, { 'ZREM', key, 'a' },
  { 'XADD', key, '1-0', 'a', '1' }, { 'XRANGE', key, '-', '+' }, { 'XREVRANGE', key, '+', '-' }, { 'XTRIM', key, 'MINID', '1' }, { 'DEL', key },
  { 'PUBLISH', key, '1' }, { 'INFO', 'replication' },
}
-- These refuse everybody, and pass.
local PASSING = { MISCONF = true, NOREPLICAS = true, OOM = true, READONLY = true, MASTERDOWN = true, CLUSTERDOWN = true }
local refused = {}
for _, command in ipairs(tried) do
  local answer = redis.pcall(unpack(command))
  if type(answer) == 'table' and answer.err and PASSING[string.match(answer.err, '^%-?(%u+)') or ''] then return redis.error_reply(answer.err) end
  if type(answer) == 'table' and answer.err and not string.find(answer.err, 'WRONGTYPE', 1, true) then refused[#refused + 1] = command[1] .. ': ' .. answer.err end
end
return refused
