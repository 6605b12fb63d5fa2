-- A page of a user's threads, newest first, each with where its stream stands.
-- KEYS[1] :threads, [2] :titles. Their streams lie in the same slot, and are named from ARGV[3] and the thread's id.
-- ARGV[1] how many at most, [2] "PREFIX:{USER}:th:", [3] ":stream", [4] updatedAt and [5] thread that the last page ended with, or "" and "".
-- Answer: of each thread its id, updatedAt, what :titles holds, and the state as in stream-state.lua, 8 parts.

-- In the order of ZRANGE: `<` would take that of the server's language.
local function isBefore(a, b)
  for i = 1, math.min(#a, #b) do
    local x, y = string.byte(a, i), string.byte(b, i)
    if x ~= y then return x < y end
  end
  return #a < #b
end

local wanted, PIECE = tonumber(ARGV[1]), 64
local answer, count, skip = {}, 0, 0
local top = ARGV[4] == '' and '+inf' or ARGV[4]
while count < wanted do
  local page = redis.call('ZRANGE', KEYS[1], top, '-inf', 'BYSCORE', 'REV', 'LIMIT', skip, PIECE, 'WITHSCORES')
  for i = 1, #page, 2 do
    local thread, updatedAt = page[i], page[i + 1]
    if count < wanted and (ARGV[4] == '' or tonumber(updatedAt) < tonumber(ARGV[4]) or isBefore(thread, ARGV[5])) then
      local s = redis.call('HMGET', ARGV[2] .. thread .. ARGV[3], 'e', 'f', 'h', 'r', 's')
      local parts = { thread, updatedAt, redis.call('HGET', KEYS[2], thread) or '', s[1] or '', s[2] or '1', s[3] or '0', s[4] or '', s[5] or '' }
      for _, part in ipairs(parts) do answer[#answer + 1] = part end
      count = count + 1
    end
  end
  if #page < 2 * PIECE then break end
  skip = skip + PIECE
end
return answer
