-- Log-ins of one user. Every script about them has the same keys:
--   KEYS[1] :logins hash, "t" digest of a ticket -> "family json", "r" digest of a refresh token -> "family next"; family and next with an "f"
--   and "n" before them, or "-" for none. KEYS[2] :ends zset, the same names -> when they run out.

local LOGINS, ENDS = KEYS[1], KEYS[2]
local FORGOTTEN_AT_ONCE = 100
-- With more of them nothing is known any more once it has run out: whoever ends a log-in looks at all.
local KNOWN_MOST = 1000

-- How long what has run out is still known is the caller's to say.
local function putLogin(name, value, ttlMs, forgetMs)
  local before = redis.call('ZCARD', ENDS) < KNOWN_MOST and now - forgetMs or now
  local forgotten = redis.call('ZRANGE', ENDS, '-inf', '(' .. whole(before), 'BYSCORE', 'LIMIT', 0, FORGOTTEN_AT_ONCE)
  if #forgotten > 0 then
    redis.call('HDEL', LOGINS, unpack(forgotten))
    redis.call('ZREM', ENDS, unpack(forgotten))
  end
  redis.call('HSET', LOGINS, name, value)
  redis.call('ZADD', ENDS, whole(now + ttlMs), name)
  for _, key in ipairs({ LOGINS, ENDS }) do
    if redis.call('PTTL', key) < ttlMs + forgetMs then redis.call('PEXPIRE', key, whole(ttlMs + forgetMs)) end
  end
end

-- What is kept under a name, and whether it has run out.
local function login(name)
  local value = redis.call('HGET', LOGINS, name)
  if not value then return nil end
  return value, tonumber(redis.call('ZSCORE', ENDS, name) or 0) <= now
end

local function dropLogin(name)
  redis.call('HDEL', LOGINS, name)
  redis.call('ZREM', ENDS, name)
end

-- Ends one family with its tickets, or all.
local function revoke(family, everywhere)
  local all = redis.call('HGETALL', LOGINS)
  for i = 1, #all, 2 do
    if everywhere or string.match(all[i + 1], '^%S+') == family then dropLogin(all[i]) end
  end
end
