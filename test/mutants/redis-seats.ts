import type { Mutant } from './mutant.ts';

const CONTRACT = 'test/contracts/seats.test.ts';
const LUA = 'src/stores/redis/lua';

/** Mistakes in the scripts about seats. */
export const REDIS_SEAT_MUTANTS: readonly Mutant[] = [
  {
    name: 'redis-debt-refilled',
    proves: 'what is given back of a debt is gone, in Redis too',
    file: `${LUA}/shared/burst.lua`,
    find: 'cap = math.min(burst.cap, seats)',
    replace: 'cap = burst.cap',
    caughtBy: CONTRACT,
  },
  {
    name: 'redis-lease-ends-when-looked-at',
    proves: 'a lease ends at its own instant, so that a debt is repaid when it was',
    file: `${LUA}/shared/user.lua`,
    find: 'freeSeat(ended[i], tonumber(ended[i + 1]))',
    replace: 'freeSeat(ended[i], now)',
    caughtBy: CONTRACT,
  },
  {
    name: 'redis-queue-jumped',
    proves: 'nobody takes the seat of who waits, in Redis too',
    file: `${LUA}/seat-admit.lua`,
    find: 'cap - count > ahead(queue, request.manager, request.class)',
    replace: 'cap - count > 0',
    caughtBy: CONTRACT,
  },
  {
    name: 'redis-clock-alone-makes-tokens',
    proves: 'tokens rise also above one that was adopted and when the clock of the server steps back',
    file: `${LUA}/shared/user.lua`,
    find: 'math.max(last + 1, nowUs)',
    replace: 'nowUs',
    caughtBy: CONTRACT,
  },
  {
    name: 'redis-replaced-without-a-word',
    proves: 'who lost its seat to another learns it with its next renewal',
    file: `${LUA}/seat-replace.lua`,
    find: '  bury(victim, token, ARGV[10])\n',
    replace: '',
    caughtBy: CONTRACT,
  },
  {
    name: 'redis-lent-twice',
    proves: 'the place of a promise that has served another arrival counts once',
    file: `${LUA}/shared/promises.lua`,
    find: 'not promise.lent and (not isPerson',
    replace: '(not isPerson',
    caughtBy: CONTRACT,
  },
  {
    name: 'redis-step-ignored',
    proves: 'when the clock of the server is set back, nothing of who has gone stands for as long',
    file: `${LUA}/shared/user.lua`,
    find: 'local function settle()\n  heedStep()\n',
    replace: 'local function settle()\n',
    caughtBy: 'test/contracts/seats-clock.test.ts',
  },
  {
    name: 'redis-own-pause-blamed',
    proves: 'a pause of our own process is not taken for one of the server',
    file: 'src/stores/redis/connection.ts',
    find: 'performance.now() - started > withinMs + OWN_PAUSE_MS',
    replace: 'performance.now() - started > 1e9 + OWN_PAUSE_MS',
    caughtBy: 'test/integration/redis-trouble.test.ts -t does not take a pause of its own',
  },
  {
    name: 'redis-script-not-given-again',
    proves: 'a server that forgot its scripts is given them again',
    file: 'src/stores/redis/connection.ts',
    find: "      if (!isNoScript(error)) throw error;\n      return this.#client.call('EVAL', text",
    replace: "      if (!isNoScript(error) || keys.length > 0) throw error;\n      return this.#client.call('EVAL', text",
    caughtBy: 'test/integration/redis-trouble.test.ts -t without its scripts',
  },
];
