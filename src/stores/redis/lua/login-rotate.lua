-- Replaces a refresh token by the next one of its family; using one twice ends the family.
-- KEYS: see shared/credentials.lua. ARGV[1] digest, [2] digest of the next, [3] ttlMs, [4] how long it is known after that.
-- Answer: { "ok" | "reused", family } | { "unknown" }.
-- needs: time credentials

local value, isOver = login('r' .. ARGV[1])
if not value or isOver then return { 'unknown' } end
local family, by = string.match(value, '^(%S+) (%S+)$')
if by == '-' then
  redis.call('HSET', LOGINS, 'r' .. ARGV[1], family .. ' n' .. ARGV[2])
  putLogin('r' .. ARGV[2], family .. ' -', tonumber(ARGV[3]), tonumber(ARGV[4]))
  return { 'ok', family }
end
-- The same call again, after a lost answer.
local following = login('r' .. ARGV[2])
if by == 'n' .. ARGV[2] and following and string.match(following, ' (%S+)$') == '-' then return { 'ok', family } end
revoke(family, false)
return { 'reused', family }
