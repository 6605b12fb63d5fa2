/** What keeps a mistake from coming back: a mutant that repeats it and must be caught, or a test that would fail. */
export type Guard = { readonly mutant: string } | { readonly test: string; readonly name?: string };

export interface Lesson {
  /** The mistake, as it was made. */
  readonly mistake: string;
  readonly guards: readonly Guard[];
}

const LESSONS_FILE = 'test/simulator/lessons.test.ts';
const fixture = (name: string): Guard => ({ test: LESSONS_FILE, name });

/** Mistakes that systems like this one have made, and what guards against each. */
export const LESSONS: Readonly<Record<string, Lesson>> = {
  D01: {
    mistake: 'the fix was not on the path of real connections',
    guards: [{ test: 'test/acceptance/as-01.test.ts' }, { mutant: 'legacy-criteria' }],
  },
  D02: {
    mistake: 'declared solved while the code was absent',
    guards: [{ test: 'test/mutants/mutants.test.ts' }, { test: 'test/docs.test.ts' }, { test: 'test/status.test.ts' }],
  },
  D03: { mistake: 'an error inside the probe counted as death', guards: [{ mutant: 'error-is-death' }, { test: 'src/core/judge.test.ts', name: 'V7' }] },
  D04: { mistake: 'a check set “last seen” to now', guards: [{ mutant: 'check-refreshes' }, fixture('D04')] },
  D05: { mistake: 'mock flags in production code', guards: [fixture('D05')] },
  D06: {
    mistake: 'simulated figures as results',
    guards: [fixture('D06'), { test: 'test/integration/factory-status.test.ts' }, { test: 'test/acceptance/as-11-numbers.test.ts' }],
  },
  D07: { mistake: 'wrong counters: what remained was reported as cleaned', guards: [fixture('D07'), { mutant: 'count-attempts' }] },
  D08: { mistake: 'a lock over awaited I/O froze the process', guards: [{ mutant: 'global-lock' }, { mutant: 'i14-one-lane-for-all' }] },
  D09: { mistake: 'probes one after another', guards: [{ mutant: 'serial-probe' }, fixture('D09')] },
  D10: {
    mistake: 'a global, re-arming breaker switched the remedy off',
    guards: [{ mutant: 'global-breaker' }, { mutant: 'i19-no-level-is-sacred' }],
  },
  D11: { mistake: 'protecting a tier spared its own dead', guards: [{ mutant: 'spare-enterprise' }, fixture('D11')] },
  D12: { mistake: 'newcomers without traffic were the first victims', guards: [fixture('D12')] },
  D13: { mistake: 'Force removed half to free one', guards: [{ mutant: 'force-half' }, { mutant: 'i6-more-than-needed' }] },
  D14: {
    mistake: 'an eviction without a reason, whose clients returned at once',
    guards: [{ mutant: 'evicted-returns' }, { mutant: 'i17-reconnects-displace' }],
  },
  D15: { mistake: 'refused attempts counted against the retry', guards: [{ mutant: 'retry-extends' }, { mutant: 'i16-empty-promises' }] },
  D16: { mistake: 'count checked, then inserted', guards: [fixture('D16'), { mutant: 'i2-one-seat-too-many' }] },
  D17: {
    mistake: 'books changed without closing the socket; a lock that waited for itself',
    guards: [fixture('D17'), { mutant: 'i23-farewells-without-end' }],
  },
  D18: {
    mistake: 'delivery “confirmed” by the sender',
    guards: [
      fixture('D18'),
      { mutant: 'ack-on-receipt' },
      { test: 'test/integration/client-acks.test.ts', name: 'a listener that waits for a promise holds the ack' },
    ],
  },
  D19: {
    mistake: 'retries of single events that never ran; ids of events not unique',
    guards: [
      fixture('D19'),
      { test: 'test/acceptance/cut-anywhere.test.ts' },
      { test: 'test/acceptance/as-09.test.ts' },
      { mutant: 'i13-replays-the-last-event' },
    ],
  },
  D20: {
    mistake: '“never dropped” events dropped; one buffer for all',
    guards: [{ test: 'test/incidents/002-trimmed-by-another.test.ts' }, { test: 'test/acceptance/as-09a.test.ts' }, { mutant: 'i13-shows-what-is-not-logged' }],
  },
  D21: {
    mistake: 'nothing could be sent while health said 99 %',
    guards: [
      { test: 'test/integration/client-gateway.test.ts', name: 'a person asks and gets the whole answer' },
      { test: 'test/browser/chat.test.ts' },
      { test: 'test/integration/golden-path.test.ts' },
    ],
  },
  D22: { mistake: 'a thread id used as a user id', guards: [fixture('D22'), { test: 'test/integration/runs-ends.test.ts' }] },
  D23: { mistake: 'managers counted by a prefix of an id', guards: [{ mutant: 'prefix-count' }, fixture('D23')] },
  D24: { mistake: 'ids made twice: stored under one, removed under another', guards: [{ mutant: 'two-keys' }, { mutant: 'i12-leaves-without-its-seat' }] },
  D25: { mistake: 'the cleanup timer never started, silently', guards: [{ mutant: 'pass-never-starts' }, fixture('D25')] },
  D26: { mistake: 'listed fallbacks that did not exist', guards: [{ test: 'test/package/readme.test.ts' }, { test: 'test/docs.test.ts' }] },
  D27: {
    mistake: 'foreign data rewritten to the receiver’s id',
    guards: [{ test: 'test/acceptance/as-05.test.ts' }, { test: 'test/acceptance/isolation.test.ts' }],
  },
  D28: {
    mistake: 'fallback answers pretended to be answers',
    guards: [{ test: 'src/protocol/texts.test.ts' }, { test: 'test/integration/agent-model-failures.test.ts' }],
  },
  D29: { mistake: 'tests that could not fail', guards: [{ test: 'test/mutants/mutants.test.ts' }] },
  D30: { mistake: 'a registry that kept one connection a user', guards: [fixture('D30'), { mutant: 'i21-forgotten-is-evicted' }] },
  D31: {
    mistake: 'the client gave up after ten tries and dropped messages',
    guards: [
      { test: 'test/integration/client-returns.test.ts', name: 'come slower and slower and never end' },
      { test: 'test/integration/client-outbox.test.ts', name: 'a full outbox says so' },
      { mutant: 'give-up-after-10' },
    ],
  },
  D32: {
    mistake: '“open” taken for “ready”; connect loops',
    guards: [{ mutant: 'ready-on-open' }, { test: 'test/integration/client-liveness.test.ts' }, { test: 'test/integration/client-returns.test.ts' }],
  },
  D33: {
    mistake: 'a proxy stripped the header, and success was reported',
    guards: [{ test: 'test/acceptance/as-12.test.ts' }, { test: 'src/auth/tickets.test.ts' }, { test: 'test/integration/http-accounts.test.ts' }],
  },
  D34: { mistake: 'a “memory check” that counted attributes', guards: [fixture('D34'), { mutant: 'leak-window' }] },
  D35: { mistake: 'four limits, three factories, 90 files', guards: [fixture('D35')] },
};
