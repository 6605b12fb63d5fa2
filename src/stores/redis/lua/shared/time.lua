-- The server's clock: `now` in whole milliseconds, `nowUs` in microseconds. No script is ever told an instant.
local clock = redis.call('TIME')
local nowUs = clock[1] * 1000000 + clock[2]
local now = math.floor(nowUs / 1000)

-- A whole number as text; Lua itself would print 1.79e+15.
local function whole(n)
  return string.format('%.0f', n)
end
