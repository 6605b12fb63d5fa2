-- Puts a live manager back that the store has forgotten, and lifts the last token above its own.
-- KEYS: see shared/user.lua. ARGV[1] "", ARGV[2] ttlMs, ARGV[3] manager, ARGV[4] token, ARGV[5] node, ARGV[6] incarnation,
-- ARGV[7] digest as JSON.
-- Answer: "OK", "FENCED" or "EVICTED reason".
-- needs: time burst queue promises user standing

settle()
local manager, token = ARGV[3], ARGV[4]
local last = tonumber(redis.call('GET', TOKEN) or '0')
redis.call('SET', TOKEN, whole(math.max(last, tonumber(token))), 'PX', TOKEN_KEPT_MS)
local is, what = standing(manager, token)
if is == 'OK' or is == 'UNKNOWN' then
  put(manager, what, { token = token, node = ARGV[5], incarnation = ARGV[6], digest = ARGV[7] }, tonumber(ARGV[2]))
  is = 'OK'
end
keep()
return is == 'EVICTED' and 'EVICTED ' .. what or is
