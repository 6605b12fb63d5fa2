-- The line of a server's data: another one after a restart and after a failover, since either may have lost what was written last.
-- Nobody but the server that took an entry knows whether the entry is still there.

-- How far apart a start and a write may stand in whole seconds.
local START_SLACK_MS = 2000

local function lineHere()
  return string.sub(string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)') or '', 1, 16)
end

-- 'same' | 'lost' | 'ask', and the present line. `line`, `written`: which one the data was last written in, and when. Only a server that was
-- started again since, was no replica meanwhile, and had everything on disk before it answered, has lost nothing.
-- `always`: '1' appendfsync is always, '0' it is not, '' the caller has not looked yet.
local function continuity(line, written, always)
  local here = lineHere()
  if here == line or here == '' then return 'same', here end
  if always == '0' then return 'lost', here end
  local formerLine = string.match(redis.call('INFO', 'replication'), 'master_replid2:(%x+)') or '1'
  local upS = tonumber(string.match(redis.call('INFO', 'server'), 'uptime_in_seconds:(%d+)') or 0)
  local isLogging = string.find(redis.call('INFO', 'persistence'), 'aof_enabled:1', 1, true) ~= nil
  local isRestarted = string.find(formerLine, '[^0]') == nil and now - upS * 1000 + START_SLACK_MS >= written
  if not (isLogging and isRestarted) then return 'lost', here end
  if always == '' then return 'ask', here end
  return 'same', here
end
