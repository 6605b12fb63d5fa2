-- The decisions of core/promises.ts and of `enqueue` in core/queue.ts.

local PROMISES_PER_PLACE = 10
local PROMISES_KEPT = 1000

-- Keeps promises in order of their instants; of one instant the older stands first.
local function insertPromise(promises, promise)
  local index = #promises + 1
  while index > 1 and promises[index - 1].at > promise.at do index = index - 1 end
  table.insert(promises, index, promise)
end

local function hasPlace(tickets, promises, class, from, till, limits)
  local isPerson = class == 'user'
  local rivals = filtered(tickets, function(ticket) return not isPerson or ticket.class == 'user' end)
  -- The place of a promise that was lent is held by the ticket of whoever it served.
  local claims = filtered(promises, function(promise) return not promise.lent and (not isPerson or promise.class == 'user') end)
  local function isFreeAt(at)
    local taken = 0
    for _, ticket in ipairs(rivals) do
      if ticket.deadline > at then taken = taken + 1 end
    end
    for _, promise in ipairs(claims) do
      if promise.at <= at and promise.at + limits.waitMs > at then taken = taken + 1 end
    end
    return taken < limits.places
  end
  if not isFreeAt(from) then return false end
  for _, promise in ipairs(claims) do
    if promise.at > from and promise.at < till and not isFreeAt(promise.at) then return false end
  end
  return true
end

local function nextPromiseAt(queue, class, limits)
  local last = queue.promises[#queue.promises]
  if last ~= nil and #queue.promises >= PROMISES_PER_PLACE * limits.places then return last.at end
  local instants = { now }
  for _, ticket in ipairs(queue.tickets) do
    if ticket.deadline >= now then instants[#instants + 1] = ticket.deadline end
  end
  for _, promise in ipairs(queue.promises) do
    if promise.at + limits.waitMs >= now then instants[#instants + 1] = promise.at + limits.waitMs end
  end
  table.sort(instants)
  for _, at in ipairs(instants) do
    if hasPlace(queue.tickets, queue.promises, class, at, at + limits.waitMs, limits) then return at end
  end
  return instants[#instants]
end

-- Takes a place; a person may take that of the last automatic reconnect. Returns the ticket and the one pushed out.
local function enterQueue(queue, ticket, limits)
  local function isWaiting(one) return one.deadline > now end
  local pushedOut = nil
  if ticket.class == 'user' and #filtered(queue.tickets, isWaiting) >= limits.places then
    for _, one in ipairs(orderQueue(queue)) do
      if one.class == 'auto' and isWaiting(one) then pushedOut = one end
    end
  end
  if pushedOut ~= nil then cancelTicket(queue, pushedOut.id) end
  table.insert(queue.tickets, ticket)
  return ticket, pushedOut
end

local function takeOverTicket(queue, own, index, class)
  if own.class == 'user' or class == 'auto' then return own end
  -- A person stands behind the persons already told their positions.
  table.remove(queue.tickets, index)
  local ticket = { id = own.id, class = 'user', issuedAt = own.issuedAt, deadline = own.deadline }
  table.insert(queue.tickets, ticket)
  return ticket
end

-- `request` is { id =, class =, waitMs =, promise =, fresh = }. Changes the queue, without promises that have lapsed; returns the ticket
-- and the one pushed out, or nil and the promise { at =, name = }.
local enqueue
function enqueue(queue, request, limits)
  local own, index = ticketOf(queue, request.id)
  if own ~= nil then return takeOverTicket(queue, own, index, request.class) end

  local held = nil
  for _, promise in ipairs(queue.promises) do
    if held == nil and promise.name == request.promise then held = promise end
  end
  local class = request.class
  if class ~= 'user' and held ~= nil then class = held.class end
  local issuedAt = now
  if held ~= nil then issuedAt = math.min(now, held.at) end
  local deadline = issuedAt + math.min(request.waitMs or limits.waitMs, limits.waitMs)
  local ticket = { id = request.id, class = class, issuedAt = issuedAt, deadline = deadline }
  local others = filtered(queue.promises, function(promise) return promise ~= held end)
  if (held ~= nil and held.at <= now) or hasPlace(queue.tickets, others, class, now, deadline, limits) then
    queue.promises = others
    return enterQueue(queue, ticket, limits)
  end
  -- It came too early: that costs it nothing, its promise stands.
  if held ~= nil then return nil, held end

  for _, due in ipairs(queue.promises) do
    if due.at <= now and not due.lent and (due.class == 'user' or request.class == 'auto') then
      -- Perhaps this is the holder, who has lost it. If not, the holder may come yet.
      local lent = { at = due.at, class = due.class, name = due.name, lent = true }
      local served, pushedOut = enqueue(queue, { id = request.id, class = request.class, waitMs = request.waitMs, promise = due.name }, limits)
      insertPromise(queue.promises, lent)
      return served, pushedOut
    end
  end
  local fresh = { at = nextPromiseAt(queue, request.class, limits), class = request.class, name = request.fresh }
  if #queue.promises < PROMISES_KEPT then insertPromise(queue.promises, fresh) end
  return nil, fresh
end
