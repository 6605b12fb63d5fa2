-- The decision of core/burst.ts. A burst is { is = 'none' | 'active' | 'debt' | 'cooldown', till =, since =, cap = }.

local function coolFrom(repaidAt, coolDownMs, at)
  local till = repaidAt + coolDownMs
  if at >= till then return { is = 'none' } end
  return { is = 'cooldown', till = till }
end

-- What time alone and the number of seats have made of it.
local function settledBurst(burst, seats, limits, at)
  if burst.is == 'active' and at >= burst.till then
    if seats <= limits.soft then return coolFrom(burst.till, limits.coolDownMs, at) end
    return { is = 'debt', since = burst.till, cap = seats }
  end
  if burst.is == 'debt' then
    if seats <= limits.soft then return coolFrom(at, limits.coolDownMs, at) end
    return { is = 'debt', since = burst.since, cap = math.min(burst.cap, seats) }
  end
  if burst.is == 'cooldown' and at >= burst.till then return { is = 'none' } end
  return burst
end

-- Returns the burst, the seats that may be held now, and whether this step started a lease.
local function stepBurst(burst, seats, want, limits, at)
  local hard = math.max(limits.soft, limits.hard)
  local settled = settledBurst(burst, seats, limits, at)
  if settled.is == 'none' and want and hard ~= limits.soft then return { is = 'active', till = at + limits.burstForMs }, hard, true end
  if settled.is == 'active' then return settled, hard, false end
  if settled.is == 'debt' then return settled, settled.cap, false end
  return settled, limits.soft, false
end

local function readBurst(text)
  local is, first, second = string.match(text or 'none', '^(%a+) ?(%-?%d*) ?(%d*)$')
  if is == 'debt' then return { is = is, since = tonumber(first), cap = tonumber(second) } end
  return { is = is, till = tonumber(first) }
end

local function writeBurst(burst)
  if burst.is == 'debt' then return 'debt ' .. whole(burst.since) .. ' ' .. whole(burst.cap) end
  if burst.is == 'none' then return 'none' end
  return burst.is .. ' ' .. whole(burst.till)
end
