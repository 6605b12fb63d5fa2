-- Frees a seat whose holder is gone.
-- KEYS, ARGV[1]: see shared/user.lua. ARGV[2] 0, ARGV[3] manager, ARGV[4] token.
-- Answer: { "ok" | "stale", facts }.
-- needs: time burst queue promises user

settle()
local seat = seatOf(ARGV[3])
local isHeld = seat ~= nil and seat.token == ARGV[4]
if isHeld then freeSeat(ARGV[3], now) end
return { isHeld and 'ok' or 'stale', facts() }
