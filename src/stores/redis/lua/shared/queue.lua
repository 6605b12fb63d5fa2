-- The decisions of core/queue.ts. A queue is { tickets =, promises =, lastWaits =, lastReleases = }, spelled as there.

local STANDING_WINDOW_MS = 1000
local STANDING_WAIT_MS = 100
local RELEASES_KEPT = 8
local SAME_MOMENT_MS = 100

local function emptyQueue()
  return { tickets = {}, promises = {}, lastWaits = {}, lastReleases = {} }
end

-- Items for which `keeps` holds, in order.
local function filtered(items, keeps)
  local kept = {}
  for _, item in ipairs(items) do
    if keeps(item) then kept[#kept + 1] = item end
  end
  return kept
end

local function ticketOf(queue, id)
  for index, ticket in ipairs(queue.tickets) do
    if ticket.id == id then return ticket, index end
  end
  return nil
end

local function isStanding(queue)
  local waits = filtered(queue.lastWaits, function(wait) return now - wait.at <= STANDING_WINDOW_MS end)
  if #waits > 0 then return #filtered(waits, function(wait) return wait.waitedMs < STANDING_WAIT_MS end) == 0 end
  return #filtered(queue.tickets, function(ticket) return ticket.class == 'auto' and now - ticket.issuedAt >= STANDING_WINDOW_MS end) > 0
end

-- Persons by arrival, then automatic ones; those newest first while the queue stands.
local function orderQueue(queue)
  local ordered = filtered(queue.tickets, function(ticket) return ticket.class == 'user' end)
  local auto = filtered(queue.tickets, function(ticket) return ticket.class == 'auto' end)
  if isStanding(queue) then
    for index = #auto, 1, -1 do ordered[#ordered + 1] = auto[index] end
  else
    for _, ticket in ipairs(auto) do ordered[#ordered + 1] = ticket end
  end
  return ordered
end

-- Tickets ranked ahead of an admission.
local function ahead(queue, id, class)
  if #queue.tickets == 0 then return 0 end
  for index, ticket in ipairs(orderQueue(queue)) do
    if ticket.id == id then return index - 1 end
  end
  if class == 'auto' then return #queue.tickets end
  return #filtered(queue.tickets, function(ticket) return ticket.class == 'user' end)
end

-- These change the queue and return whether they did.
local function cancelTicket(queue, id)
  local ticket, index = ticketOf(queue, id)
  if ticket == nil then return false end
  table.remove(queue.tickets, index)
  return true
end

local function serveTicket(queue, id)
  local ticket = ticketOf(queue, id)
  if ticket == nil then return false end
  cancelTicket(queue, id)
  queue.lastWaits = filtered(queue.lastWaits, function(wait) return now - wait.at <= STANDING_WINDOW_MS end)
  table.insert(queue.lastWaits, { at = now, waitedMs = now - ticket.issuedAt })
  return true
end

local function noteRelease(queue, at)
  local last = queue.lastReleases[#queue.lastReleases]
  if last ~= nil and at - last < SAME_MOMENT_MS then return false end
  table.insert(queue.lastReleases, at)
  if #queue.lastReleases > RELEASES_KEPT then table.remove(queue.lastReleases, 1) end
  return true
end
