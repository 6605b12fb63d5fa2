-- Where a stream stands. Of an unknown one: the epoch that its first entry will have, which is kept for the user until then.
-- KEYS[1] the stream, KEYS[2] :new of the user, hash of e epoch, l line, a last use. ARGV[1] a fresh epoch, ARGV[2] always (shared/line.lua).
-- Answer: { epoch, first, head, active run or "", its first offset or "" } | { "ask" }.
-- needs: time stream line fresh

if not isKnown then
  local is = epochOfNew(KEYS[2], ARGV[1], ARGV[2])
  if is == 'ask' then return { 'ask' } end
end
return state()
