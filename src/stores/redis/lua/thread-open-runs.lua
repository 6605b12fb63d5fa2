-- Runs of one thread that have not ended, oldest first.
-- KEYS[1] :open, KEYS[2] :runs of the user. Answer: of each its id and what :runs holds.

local ids = redis.call('ZRANGE', KEYS[1], 0, -1)
local answer = {}
for _, id in ipairs(ids) do
  answer[#answer + 1] = id
  answer[#answer + 1] = redis.call('HGET', KEYS[2], id)
end
return answer
