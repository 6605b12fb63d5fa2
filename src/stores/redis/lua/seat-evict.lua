-- Frees a seat and remembers why.
-- KEYS, ARGV[1]: see shared/user.lua. ARGV[2] 0, ARGV[3] manager, ARGV[4] token, ARGV[5] reason.
-- Answer: { "ok" | "stale", facts }. A repeated call finds its own tombstone: "ok".
-- needs: time burst queue promises user

settle()
local manager, token, reason = ARGV[3], ARGV[4], ARGV[5]
local seat = seatOf(manager)
local isDone = seat ~= nil and seat.token == token
if isDone then
  freeSeat(manager, now)
  bury(manager, token, reason)
elseif seat == nil then
  local stone = stoneOf(manager)
  isDone = stone ~= nil and stone.token == tonumber(token)
end
return { isDone and 'ok' or 'stale', facts() }
