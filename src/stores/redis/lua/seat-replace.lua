-- Takes the seat of the first victim whose token still matches: the count cannot rise, the seat cannot be stolen.
-- KEYS: see shared/user.lua. ARGV: see shared/seating.lua, and ARGV[10] reason, ARGV[11...] manager, token of each victim in order.
-- Answer: { "ok", token, kind, burstStarted, replaced, from, facts } or { "stale", facts }.
-- needs: time burst queue promises user seating

settle()
local seat = again()
if seat == nil then
  local victim
  for i = 11, #ARGV, 2 do
    local held = seatOf(ARGV[i])
    if victim == nil and held ~= nil and held.token == ARGV[i + 1] then victim = ARGV[i] end
  end
  if victim == nil then return { 'stale', facts() } end
  local token = seatOf(victim).token
  removeSeat(victim)
  bury(victim, token, ARGV[10])
  seat = take(nil, { replaced = victim })
end
return seated(seat)
