-- Where a stream stands, and whether the server still has what it had. Every script about one stream begins with
--   KEYS[1] the stream: hash of e epoch, l line, t writer token, n node and i incarnation of the writer, h head, f first, b bytes, a last
--   write (ms), o runs that have not ended, r active run, s its first offset, m messages ever stored, z order of the latest run, x and y
--   whether it is noted among those with entries and those with open runs (streams-touch.lua): when that was done (ms), 0 somebody is about to.

local STREAM = KEYS[1]
local kept = redis.call('HMGET', STREAM, 'e', 'l', 't', 'h', 'f', 'b', 'a', 'o', 'r', 's', 'x', 'y')
local isKnown = kept[1] ~= false
local stream = {
  epoch = kept[1], line = kept[2], token = tonumber(kept[3] or 0), head = tonumber(kept[4] or 0), first = tonumber(kept[5] or 1),
  bytes = tonumber(kept[6] or 0), written = tonumber(kept[7] or 0), open = tonumber(kept[8] or 0), run = kept[9] or '', runFirst = kept[10] or '',
  noted = kept[11], openNoted = kept[12],
}

-- Epoch, first, head, active run and its first offset; '' where there is none.
local function state()
  return { stream.epoch, whole(stream.first), whole(stream.head), stream.run, stream.runFirst }
end
