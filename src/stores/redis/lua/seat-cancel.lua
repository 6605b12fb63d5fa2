-- Gives a ticket back.
-- KEYS, ARGV[1]: see shared/user.lua. ARGV[2] 0, ARGV[3] manager.
-- Answer: the facts.
-- needs: time burst queue promises user

settle()
if cancelTicket(queue, ARGV[3]) then isQueueChanged = true end
return facts()
