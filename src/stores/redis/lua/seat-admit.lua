-- Gives a seat if there is room beyond the tickets ranked ahead.
-- KEYS: see shared/user.lua. ARGV: see shared/seating.lua.
-- Answer: { "ok", token, kind, burstStarted, replaced, from, facts } or { "full", facts }.
-- needs: time burst queue promises user seating

settle()
local function hasRoom()
  return cap - count > ahead(queue, request.manager, request.class)
end

local seat = again()
if seat == nil then
  local burstStarted = not hasRoom() and step(request.mayBurst, now)
  if not hasRoom() then return { 'full', facts() } end
  seat = take(nil, { burstStarted = burstStarted })
end
return seated(seat)
