-- All that a snapshot needs: where the stream stands, complete messages up to there, and the first entries of the active run.
-- KEYS[1] the stream, [2] :log, [3] :order, [4] :messages, [5] :titles of the user.
-- ARGV[1] thread, [2] how many messages at most, [3] message before which, or "", [4] about how many bytes of entries at most.
-- Answer: {} for an unknown thread, or { state, "1" if there are older messages, messages newest first as :messages holds them, entries as
-- XRANGE answers them: those from the run's first offset on, whichever run they belong to, "1" if these are all }.
-- needs: time stream

local thread, limit, before = ARGV[1], tonumber(ARGV[2]), ARGV[3]
if not isKnown or redis.call('HEXISTS', KEYS[5], thread) == 0 then return {} end
local top = '+inf'
if before ~= '' then
  local order = redis.call('ZSCORE', KEYS[3], before)
  top = order and '(' .. order or '-inf'
end
local PIECE = 32
local messages, skip, isOver = {}, 0, false
while not isOver and #messages <= limit do
  local ids = redis.call('ZRANGE', KEYS[3], top, '-inf', 'BYSCORE', 'REV', 'LIMIT', skip, PIECE)
  for _, id in ipairs(ids) do
    local message = redis.call('HGET', KEYS[4], id)
    local offset, complete = string.match(message, '^(%S+) (%d)')
    if complete == '1' and tonumber(offset) <= stream.head then messages[#messages + 1] = message end
    if #messages > limit then break end
  end
  isOver = #ids < PIECE
  skip = skip + PIECE
end
local more = '0'
if #messages > limit then
  more = '1'
  messages[#messages] = nil
end
local entries, bytes, isWhole = {}, 0, true
if before == '' and stream.run ~= '' then
  local from = whole(tonumber(stream.runFirst) or stream.first) .. '-0'
  repeat
    local found = redis.call('XRANGE', KEYS[2], from, '+', 'COUNT', PIECE)
    for _, entry in ipairs(found) do
      entries[#entries + 1] = entry
      bytes = bytes + #entry[2][8]
    end
    isWhole = #found < PIECE
    if not isWhole then from = '(' .. found[#found][1] end
  until isWhole or bytes >= tonumber(ARGV[4])
end
return { state(), more, messages, entries, isWhole and '1' or '0' }
