-- The epoch of a user's streams that nobody has written to yet. It is random and kept in the user's slot, so that a slot which lost its
-- data, or whose server may have, begins another one.

-- For how long it is kept for a user who has no stream yet.
local NEW_KEPT_MS = 86400000

-- Fills in `stream`; 'ask' if `always` must be told first.
local function epochOfNew(key, fresh, always)
  local kept = redis.call('HMGET', key, 'e', 'l', 'a')
  local epoch, line = kept[1], kept[2]
  if epoch then
    local is, here = continuity(line, tonumber(kept[3]), always)
    if is == 'ask' then return 'ask' end
    if is == 'lost' then epoch = false end
    line = here
  else
    line = lineHere()
  end
  redis.call('HSET', key, 'e', epoch or fresh, 'l', line, 'a', whole(now))
  if not epoch and redis.call('PTTL', key) < 0 then redis.call('PEXPIRE', key, NEW_KEPT_MS) end
  stream.epoch, stream.line = epoch or fresh, line
end
