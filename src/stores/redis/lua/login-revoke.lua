-- Ends the family of a refresh token, or all families of its user, with the tickets they bought.
-- KEYS: see shared/credentials.lua. ARGV[1] digest, [2] "1" for all. Answer: the family, or "" for an unknown token.
-- needs: time credentials

local value = login('r' .. ARGV[1])
if not value then return '' end
local family = string.match(value, '^%S+')
revoke(family, ARGV[2] == '1')
return family
