-- Renews a node's card and tells who else is there.
-- KEYS[1] hash of the nodes: "epoch" -> name of the data set, "node:NAME" -> "end of its key, in ms" and its card, JSON.
-- ARGV[1] node, ARGV[2] card, ARGV[3] ttlMs, ARGV[4] name for a new data set.
-- Answer: { epoch, now, [card, ...] }.
-- needs: time

-- Above what two versions may differ by.
local SLACK_MS = 60000
local latest = now + tonumber(ARGV[3])
redis.call('HSETNX', KEYS[1], 'epoch', ARGV[4])
redis.call('HSET', KEYS[1], 'node:' .. ARGV[1], whole(latest) .. ' ' .. ARGV[2])
local epoch
local cards = {}
local fields = redis.call('HGETALL', KEYS[1])
for i = 1, #fields, 2 do
  if fields[i] == 'epoch' then
    epoch = fields[i + 1]
  else
    local till, card = string.match(fields[i + 1], '^(%d+) (.*)$')
    -- The server's clock was set back: a node that is gone would live on for as long.
    if tonumber(till) > latest + SLACK_MS then redis.call('HSET', KEYS[1], fields[i], whole(latest) .. ' ' .. card) end
    if tonumber(till) > now then cards[#cards + 1] = card else redis.call('HDEL', KEYS[1], fields[i]) end
  end
end
return { epoch, whole(now), cards }
