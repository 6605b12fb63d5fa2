-- What is known of a seat that its node believes to hold, and how it is kept.

-- "EVICTED" and why, "UNKNOWN", "FENCED", or "OK" and the seat.
local function standing(manager, token)
  local stone = stoneOf(manager)
  if stone ~= nil and stone.token >= tonumber(token) then return 'EVICTED', stone.reason end
  local seat = seatOf(manager)
  if seat == nil or tonumber(seat.token) < tonumber(token) then return 'UNKNOWN', seat end
  if seat.token == token then return 'OK', seat end
  return 'FENCED'
end

-- Puts back, or renews, a seat that its node holds. `before`: what the store knows of it.
local function put(manager, before, told, ttlMs)
  local seat = before or { attach = '', kind = kindOfNext(), seatedAt = now }
  seat.token, seat.node, seat.incarnation, seat.digest, seat.toldAt = told.token, told.node, told.incarnation, told.digest, now
  writeSeat(manager, seat, ttlMs)
  if before ~= nil then return end
  count = count + 1
  if cancelTicket(queue, manager) then isQueueChanged = true end
  step(false, now)
end
