-- Keeps seats of one user for another ttlMs and refreshes what is told of them.
-- KEYS: see shared/user.lua. ARGV[1] "", ARGV[2] ttlMs, then of each seat: manager, token, node, incarnation, digest as JSON.
-- Answer: of each seat "OK", "FENCED", "UNKNOWN" or "EVICTED reason", in order.
-- needs: time burst queue promises user standing

settle()
local ttlMs = tonumber(ARGV[2])
local answers = {}
for i = 3, #ARGV, 5 do
  local is, what = standing(ARGV[i], ARGV[i + 1])
  if is == 'OK' then put(ARGV[i], what, { token = ARGV[i + 1], node = ARGV[i + 2], incarnation = ARGV[i + 3], digest = ARGV[i + 4] }, ttlMs) end
  answers[#answers + 1] = is == 'EVICTED' and 'EVICTED ' .. what or is
end
keep()
return answers
