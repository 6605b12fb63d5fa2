-- How a seat is given, for the scripts that give one. They have, besides KEYS and ARGV[1] of shared/user.lua:
--   ARGV[2] ttlMs   ARGV[3] manager   ARGV[4] attach   ARGV[5] node   ARGV[6] incarnation   ARGV[7] class   ARGV[8] mayBurst, "1" or "0"
--   ARGV[9] what is told of a manager that has just come, JSON

local request = {
  ttlMs = tonumber(ARGV[2]), manager = ARGV[3], attach = ARGV[4], node = ARGV[5], incarnation = ARGV[6], class = ARGV[7],
  mayBurst = ARGV[8] == '1', digest = ARGV[9],
}

local function take(before, how)
  local seat = {
    token = nextToken(), node = request.node, incarnation = request.incarnation, attach = request.attach,
    kind = before and before.kind or kindOfNext(), burstStarted = how.burstStarted or nil, replaced = how.replaced, from = how.from,
    toldAt = now, seatedAt = before and before.seatedAt or now, digest = request.digest,
  }
  writeSeat(request.manager, seat, request.ttlMs)
  if before == nil then count = count + 1 end
  redis.call('HDEL', STONES, request.manager)
  if serveTicket(queue, request.manager) then isQueueChanged = true end
  step(false, now)
  return seat
end

-- The seat of a manager that has one already: a repeated attempt gets the same answer, another attempt takes it over. Or nil.
local function again()
  local seat = seatOf(request.manager)
  if seat == nil then return nil end
  if seat.attach == request.attach then return seat end
  return take(seat, { from = { node = seat.node, incarnation = seat.incarnation, token = seat.token } })
end

local function seated(seat)
  local from = seat.from and cjson.encode(seat.from) or ''
  return { 'ok', seat.token, seat.kind, seat.burstStarted and '1' or '0', seat.replaced or '', from, facts() }
end
