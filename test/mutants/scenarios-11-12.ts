import type { Mutant } from './mutant.ts';

const AS_11 = 'test/acceptance/as-11-memory.test.ts';
const AS_12 = 'test/acceptance/as-12.test.ts -t every message is answered';

/** Mistakes that AS-11 and AS-12 must notice. */
export const SCENARIO_MUTANTS_C: readonly Mutant[] = [
  {
    name: 'leak-window',
    proves: 'what a connection had under way is kept when it has ended',
    file: 'src/gateway/line.ts',
    find: '    this.#isGone = true;\n    this.#first?.(null);',
    replace: '    ((globalThis as unknown as { ended?: Line[] }).ended ??= []).push(this);\n    this.#isGone = true;\n    this.#first?.(null);',
    caughtBy: AS_11,
  },
  {
    name: 'count-attempts',
    proves: 'seats are counted as freed when somebody tries to free them',
    file: 'src/managers/cleanup/evict.ts',
    find: '  return await manager.whileLeaving(async () => {\n',
    replace: '  context.counters.seatTaken(cause.level);\n  return await manager.whileLeaving(async () => {\n',
    caughtBy: AS_11,
  },
  {
    name: 'reconnect-takes-seat',
    proves: 'whoever comes back is admitted as somebody new',
    file: 'src/gateway/handshake.ts',
    find: 'resume: own !== null && own.user === first.identity.user ? own : null };',
    replace: 'resume: null };',
    caughtBy: AS_12,
  },
  {
    name: 'give-up-after-10',
    proves: 'the client gives up after ten attempts',
    file: 'src/client/connection.ts',
    find: "    if (info.return === 'never') {",
    replace: "    if (info.return === 'never' || this.#failures >= 10) {",
    caughtBy: AS_12,
  },
  {
    name: 'ready-on-open',
    proves: 'a connection counts as seated from the start: what is said before `ready` is lost',
    file: 'src/gateway/line.ts',
    find: '    for (const { parsed } of kept) owner.frame(parsed);\n',
    replace: '    if (kept.length < 0) for (const { parsed } of kept) owner.frame(parsed);\n',
    caughtBy: AS_12,
  },
];

/** Mistakes that strangers would find first. */
export const STRANGER_MUTANTS: readonly Mutant[] = [
  {
    name: 'early-bytes-uncounted',
    proves: 'what comes before the log-in is counted by messages, not as it arrives',
    file: 'src/gateway/early-bytes.ts',
    find: '    if (this.#bytes <= UNVERIFIED_BYTES) return;\n',
    replace: '    if (this.#bytes <= UNVERIFIED_BYTES * 1_000) return;\n',
    caughtBy: 'test/incidents/018-a-hello-that-never-ends.test.ts',
  },
  {
    name: 'crumbs-unbounded',
    proves: 'a frame may come in as many pieces as it has bytes',
    file: 'src/gateway/upgrade.ts',
    find: '    maxBufferedChunks: CHUNKS_MAX,\n    maxFragments: FRAGMENTS_MAX,\n',
    replace: '    maxBufferedChunks: CHUNKS_MAX * 1_000,\n    maxFragments: FRAGMENTS_MAX * 1_000,\n',
    caughtBy: 'test/incidents/019-a-frame-in-crumbs.test.ts',
  },
  {
    name: 'strangers-hang-up',
    proves: 'nobody listens for the error of a socket that is refused',
    file: 'src/gateway/upgrade.ts',
    find: '        survive(socket);\n        refuse(',
    replace: '        refuse(',
    caughtBy: 'test/incidents/025-a-stranger-hung-up.test.ts',
  },
  {
    name: 'yields-write-themselves',
    proves: 'an event with a method `toJSON` is logged as what that method says',
    file: 'src/codecs/agent-events.ts',
    find: " && typeof value !== 'function') event[key] = value;",
    replace: ') event[key] = value;',
    caughtBy: 'test/fuzz/fuzz.test.ts -t the codec takes what is right',
  },
  {
    name: 'thread-ids-of-any-letter',
    proves: 'the parser takes thread ids that the protocol forbids',
    file: 'src/protocol/ids.ts',
    find: 'const THREAD_ID = /^[A-Za-z0-9._:-]{1,128}$/;',
    replace: 'const THREAD_ID = /^[A-Za-z0-9._:/-]{1,128}$/;',
    caughtBy: 'test/fuzz/fuzz.test.ts -t the codec takes what is right',
  },
  {
    name: 'timers-of-the-departed',
    proves: 'a cancelled timer leaves its list in the runtime until it would have been due',
    file: 'src/ports/clock.ts',
    find: '      timer.ref();\n',
    replace: '',
    caughtBy: 'test/incidents/022-timers-of-the-departed.test.ts',
  },
];
