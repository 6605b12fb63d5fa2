-- Drops what has run out, then tells how things stand.
-- KEYS, ARGV[1]: see shared/user.lua.
-- Answer: the facts, { now, cap, burst, queue, [manager, seat, ...] }.
-- needs: time burst queue promises user

settle()
return facts()
