-- Keeps a ticket, or the first refresh token of a family.
-- KEYS: see shared/credentials.lua. ARGV[1] name, [2] value, [3] ttlMs, [4] how long it is known after that. Answer: 1.
-- needs: time credentials

putLogin(ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]))
return 1
