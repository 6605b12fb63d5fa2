-- Hands a ticket out once.
-- KEYS: see shared/credentials.lua. ARGV[1] its name. Answer: { "ok", value } | { "expired" } | { "unknown" }.
-- needs: time credentials

local value, isOver = login(ARGV[1])
if not value then return { 'unknown' } end
if isOver then return { 'expired' } end
dropLogin(ARGV[1])
return { 'ok', value }
