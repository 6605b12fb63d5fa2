-- Takes a place in the user's queue, or tells when one will be free.
-- KEYS, ARGV[1]: see shared/user.lua. ARGV[2] 0, ARGV[3] manager, ARGV[4] class, ARGV[5] waitMs or "", ARGV[6] promise or "",
-- ARGV[7] name for a new promise.
-- Answer: { "queued", ticket, pushedOut or "", facts } or { "full", promiseAt, promise, facts }; tickets as JSON.
-- needs: time burst queue promises user

settle()
local promise = ARGV[6]
if promise == '' then promise = nil end
local ticket, other = enqueue(queue, { id = ARGV[3], class = ARGV[4], waitMs = tonumber(ARGV[5]), promise = promise, fresh = ARGV[7] }, limits)
isQueueChanged = true
if ticket == nil then return { 'full', whole(other.at), other.name, facts() } end
return { 'queued', cjson.encode(ticket), other and cjson.encode(other) or '', facts() }
