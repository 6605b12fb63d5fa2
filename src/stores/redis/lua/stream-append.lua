-- Appends entries to one stream, all or none.
-- KEYS, ARGV, answer: see shared/writing.lua.
-- needs: time stream line writing

local no = refusal(false)
if no then return no end
put()
if total > 0 then tell() end
return { 'ok', whole(stream.bytes) }
