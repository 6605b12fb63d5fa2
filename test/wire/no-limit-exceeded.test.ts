/** No path of this repository answers "limit exceeded": every close code, status, notice and sentence is listed here and looked at,
 *  and so is every place from which an admission could send somebody away. */

import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decideAdmission } from '../../src/core/admission.ts';
import { type AdmissionFacts, type AdmissionStep, NOTHING_DONE, type StepResult } from '../../src/core/admission-facts.ts';
import { mono } from '../../src/core/clocks.ts';
import { resolveOptions } from '../../src/core/resolve-options.ts';
import { TITLES } from '../../src/gateway/http/problems.ts';
import { CLOSE, closeFor, closeReason, retryAfterOf, returnOf } from '../../src/protocol/close-codes.ts';
import { ERROR_STATUS, type ErrorCode, isRetryable } from '../../src/protocol/errors.ts';
import type { ManagerId, Tier } from '../../src/protocol/ids.ts';
import { END_REASONS, EVICT_REASONS, PEOPLE_REASONS, RETRY_REASONS, type ReasonCode, TRANSPORT_REASONS } from '../../src/protocol/reasons.ts';
import * as texts from '../../src/protocol/texts.ts';
import { HELLO, startGateway, type TestGateway } from '../support/gateway.ts';
import type { WireClient, WireFrame } from '../support/wire-client.ts';

const SRC = fileURLToPath(new URL('../../src/', import.meta.url));

/** What a product says that locks people out. */
const LOCKED_OUT = [
  /limit\b[^.]{0,20}\b(exceeded|reached|hit)/i,
  /(exceed|reach)(s|ed|ing)?\b[^.]{0,20}\blimit/i,
  /too many (connections|sessions|tabs|devices|clients|managers|sockets|seats)/i,
  /(max(imum)?|no more|no further) (number of )?(connections|sessions|tabs|devices|clients|managers|sockets|seats)/i,
  /connection limit|session limit|over (the |your )?limit\b/i,
  /(connection|session|seat|user)s? (was |is |are |were )?(refused|rejected|denied|blocked|locked)/i,
  /locked out|blocked|banned/i,
];
const locksOut = (text: string): boolean => LOCKED_OUT.some((pattern) => pattern.test(text));

describe('what a person may read', () => {
  const notices: readonly texts.NoticeBody[] = [
    ...[2, 14, 20, 25].map((used) => texts.limitNearNotice({ used, limit: 20 })),
    texts.burstNotice({ used: 25, limit: 20, burst: 25, untilAt: Date.now(), leftMs: 60_000 }),
    ...[1, 10].map((waiting) => texts.queueNotice({ waiting, etaMs: 10_000, untilAt: Date.now() })),
    ...[1, 16].map((freed) => texts.cleanedUpNotice({ freed, level: 'force', durationMs: 3, reasons: { 'lowest-value': freed } })),
    ...reasons().map((reason) => texts.evictingNotice({ level: 'force', reason, graceMs: 250, label: 'Phone' })),
    texts.drainingNotice({ slotMs: 1_000, reason: 'deploy' }),
  ];

  test('every sentence of the gateway is built here, and none says that somebody is not let in', () => {
    // A builder that is new is looked at here, or this fails.
    expect(Object.keys(texts).sort()).toEqual([
      'AGENT_FAILURES',
      'NEAR_SHARE',
      'burstNotice',
      'cleanedUpNotice',
      'closeText',
      'drainingNotice',
      'durationText',
      'evictingNotice',
      'limitNearNotice',
      'queueNotice',
    ]);
    const said = [
      ...Object.values(CLOSE).map((close) => texts.closeText(close, { retryAfterMs: 3_000, label: 'Phone', reason: 'maintenance' })),
      ...notices.map((notice) => notice.text),
      ...Object.values(texts.AGENT_FAILURES).map((failure) => failure.error_message),
      ...Object.values(TITLES),
      ...Object.keys(TITLES),
    ];
    expect(said.filter(locksOut)).toEqual([]);
  });

  test('every notice says what to do, unless it is over by itself, and words of ours stay ours', () => {
    for (const notice of notices) {
      expect(notice.text).not.toMatch(/manager|seat|verdict|transport|undefined|null|NaN/);
      const isOverByItself = notice.kind === 'draining' || /comes back by itself/.test(notice.text);
      expect(notice.actions.length > 0, notice.text).toBe(!isOverByItself);
    }
    const timed = notices.filter((notice) => notice.kind === 'burst' || notice.kind === 'queue');
    for (const notice of timed) expect(notice.until, notice.text).toBeTypeOf('number');
  });
});

describe('close codes', () => {
  test('each has its range, and only those of the credential or the protocol are final', () => {
    const byReturn = groupedBy(Object.values(CLOSE), ({ code }) => returnOf(code));
    expect(Object.fromEntries(Object.entries(byReturn).map(([back, closes]) => [back, closes.map(({ code, name }) => `${code} ${name}`)]))).toEqual({
      now: [
        '4000 reconnect',
        '4001 draining',
        '4002 unresponsive',
        '4003 slow-consumer',
        '4004 max-age',
        '4005 resync',
        '4009 internal-error',
        '4010 credential-expired',
        '4011 hello-timeout',
      ],
      after: ['4100 queue-full', '4101 no-seat-yet', '4102 node-overloaded', '4103 rate-limited'],
      user: ['4200 evicted-idle', '4201 evicted-for-newer', '4202 burst-over', '4203 freed-by-user', '4204 freed-by-admin', '4205 taken-over'],
      never: [
        '4500 protocol-error',
        '4501 unauthorized',
        '4502 forbidden',
        '4503 unsupported-version',
        '4504 ack-ahead',
        '4505 message-too-big',
        '4506 logged-out',
      ],
    });
  });

  test('whatever takes a seat or gives none lets its client come back, and what comes back later names its time', () => {
    for (const reason of reasons()) expect(`${reason}: ${returnOf(closeFor(reason).code)}`).not.toMatch(/never$/);
    for (const reason of RETRY_REASONS) {
      const close = closeFor(reason);
      expect(returnOf(close.code)).toBe('after');
      expect(close.text).toContain('{t}');
      expect(retryAfterOf(closeReason(close, 3_000, reason))).toBe(3_000);
    }
    expect(reasons().filter((reason) => returnOf(closeFor(reason).code) === 'after')).toEqual([...RETRY_REASONS]);
  });
});

test('HTTP errors: none is about a user’s limit; what asks to come back later is retryable and named so', () => {
  const byStatus = groupedBy(Object.keys(ERROR_STATUS) as ErrorCode[], (code) => String(ERROR_STATUS[code]));
  expect(byStatus['429']).toEqual(['rate-limited']);
  expect(byStatus['503']).toEqual(['draining', 'node-overloaded', 'no-seat-yet', 'queue-full', 'store-unavailable', 'agent-unavailable']);
  for (const code of [...(byStatus['429'] ?? []), ...(byStatus['503'] ?? [])]) expect(isRetryable(code)).toBe(true);
  expect(Object.keys(byStatus).map(Number)).toEqual([400, 401, 403, 404, 405, 409, 413, 426, 429, 500, 503]);
});

describe('the sources', () => {
  const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
    .map((name) => name.replaceAll('\\', '/'))
    .filter((name) => /\.tsx?$/.test(name) && !/\.test\.tsx?$/.test(name));
  const codeOf = (name: string): string => withoutComments(readFileSync(SRC + name, 'utf8'));
  const matchesIn = (pattern: RegExp, name: string): string[] => [...codeOf(name).matchAll(pattern)].map((match) => match[1] ?? match[0]);

  test('hold no sentence that locks somebody out', () => {
    // Operators read of lockouts, that there is none: what they are told has to name it. People in a chat read nothing of these folders.
    // The words by which Redis names its troubles are its own.
    const forPeople = files.filter((name) => !/^(cli|telemetry)\/|^stores\/redis\/errors\.ts$/.test(name));
    expect(forPeople.length).toBeGreaterThan(200);
    const found = forPeople.flatMap((name) =>
      codeOf(name)
        .split('\n')
        .filter((line) => /['"`>]/.test(line) && locksOut(line))
        .map((line) => `${name}: ${line.trim()}`),
    );
    expect(found).toEqual([]);
  });

  test('close connections at these places only, and the way to a seat only says "later", "elsewhere" or "this was not understood"', () => {
    const closes = Object.fromEntries(
      files
        .filter((name) => !name.startsWith('protocol/'))
        .map((name) => [name, [...new Set(matchesIn(/(CLOSE\.\w+|closeFor\([^)]*\))/g, name))].sort()] as const)
        .filter(([, found]) => found.length > 0),
    );
    expect(closes).toEqual({
      // Before anybody is recognised: the first frame, the version, the credential.
      'gateway/handshake.ts': ['CLOSE.credentialExpired', 'CLOSE.helloTimeout', 'CLOSE.protocolError', 'CLOSE.unauthorized', 'CLOSE.unsupportedVersion'],
      // Then also who sends a flood while it waits, which means "later".
      'gateway/line.ts': ['CLOSE.messageTooBig', 'CLOSE.protocolError', 'CLOSE.rateLimited'],
      // The admission: another server takes over, or the named time that works.
      'gateway/connection.ts': ['CLOSE.draining', 'closeFor(retry.reason)'],
      // Seated: an older transport of the same session, an eviction, the end of a seat that the store gave away.
      'managers/admission/seating.ts': ["closeFor('superseded')"],
      'managers/cleanup/partings.ts': ['closeFor(reason)'],
      'managers/cleanup/evict.ts': ['closeFor(reason)'],
      // What a client did wrong, and credentials that end.
      'managers/delivery/bare-wire.ts': ['CLOSE.ackAhead', 'CLOSE.protocolError'],
      'gateway/wires/native.ts': ['CLOSE.ackAhead', 'CLOSE.protocolError', 'CLOSE.rateLimited'],
      'gateway/credential.ts': ['CLOSE.credentialExpired', 'CLOSE.unauthorized'],
      'gateway/sessions.ts': ['CLOSE.loggedOut'],
      // Operators' live connections, which take no seat.
      'gateway/live/viewer.ts': [
        'CLOSE.credentialExpired',
        'CLOSE.helloTimeout',
        'CLOSE.internalError',
        'CLOSE.nodeOverloaded',
        'CLOSE.protocolError',
        'CLOSE.rateLimited',
        'CLOSE.reconnect',
        'CLOSE.unauthorized',
      ],
      // Names the close of a metric; closes nothing.
      'telemetry/label-sets.ts': ['closeFor(reason)'],
      // This server stops, or failed.
      'gateway/drain.ts': ['CLOSE.draining'],
      'gateway/gateway.ts': ['CLOSE.internalError'],
      // Event streams over HTTP, which take no seat.
      'gateway/http/event-stream.ts': ['CLOSE.credentialExpired'],
      'gateway/http/event-streams.ts': ['CLOSE.loggedOut', 'CLOSE.takenOver'],
      'gateway/http/app.ts': ['CLOSE.draining'],
    });
  });

  test('name no close code and no status by its number on the way to a seat', () => {
    const onTheWay = files.filter((name) => /^(managers\/|core\/(admission|gate|node-room|queue|burst|cleanup|victims)|gateway\/connection\.ts)/.test(name));
    expect(onTheWay.length).toBeGreaterThan(20);
    for (const name of onTheWay) expect(`${name}: ${matchesIn(/\b4\d\d\b|\b4[125]\d\d\b/g, name).join(' ')}`).toBe(`${name}: `);
    // And end a transport only by goodbye (`farewell.ts`), because its client left, as the eviction of a seat that is free already, or
    // where it is found to belong to nobody.
    const ends = onTheWay.flatMap((name) => matchesIn(/transport\.(?:end|terminate)\([^)]*\)/g, name).map((call) => `${name}: ${call}`));
    expect(ends.sort()).toEqual([
      "gateway/connection.ts: transport.end(1000, '')",
      "gateway/connection.ts: transport.end(1000, '')",
      "managers/cleanup/partings.ts: transport.end(1000, '')",
      'managers/cleanup/sockets.ts: transport.terminate()',
      'managers/delivery/farewell.ts: transport.end(close.code, closeReason(close, retryAfterMs, f.reason)',
      'managers/inspection/consistency.ts: transport.terminate()',
    ]);
  });

  test('answer HTTP instead of an upgrade only for these reasons, and each that means "later" with its time', () => {
    const code = codeOf('gateway/upgrade.ts');
    const calls = [...code.matchAll(/refuse\(\s*socket,\s*'([a-z-]+)',([\s\S]*?)\);/g)].map(([, name, rest]) => ({ name, rest }));
    expect([...new Set(calls.map(({ name }) => name))].sort()).toEqual([
      'bad-request',
      'draining',
      'node-overloaded',
      'not-found',
      'origin-denied',
      'rate-limited',
    ]);
    for (const { name, rest } of calls) {
      const isLater = isRetryable(name as ErrorCode);
      expect(`${name} ${/,\s*(1|Math\.ceil\()/.test(rest as string)}`).toBe(`${name} ${isLater}`);
    }
    // Only a redial by itself is ever answered so; a person is heard.
    expect(code).toMatch(/searchParams\.get\('intent'\) === 'auto' \? this\.#overloadedForMs\(\) : null/);
  });
});

describe('an admission, whatever is the case', () => {
  const options = resolveOptions({});
  const result = fc.constantFrom<StepResult>('no', 'enough', 'short', 'skipped');
  const facts: fc.Arbitrary<AdmissionFacts> = fc.record({
    request: fc.record({
      managerId: fc.constant('mgr_00000000000000000001' as ManagerId),
      intent: fc.constantFrom('user' as const, 'auto' as const),
      tier: fc.constantFrom('free', 'enterprise').map((tier) => tier as Tier),
      resumes: fc.boolean(),
      refusals: fc.nat(40),
    }),
    seats: fc.nat(30),
    cap: fc.constantFrom(20, 25),
    promised: fc.nat(5),
    paid: fc.nat(1),
    ahead: fc.nat(10),
    joined: fc.integer({ min: 1, max: 5 }),
    persons: fc.nat(5),
    burst: fc.constantFrom<AdmissionFacts['burst']>({ in: 'none' }, { in: 'active', until: mono(70_000) }, { in: 'cooldown', until: mono(90_000) }),
    queue: fc.constant({ tickets: [], promises: [], lastWaits: [], lastReleases: [] }),
    node: fc.record({
      seats: fc.constantFrom(0, options.limits.perNode, options.limits.perNode * 2),
      own: fc.nat(30),
      gate: fc.constantFrom(0, options.tiers === undefined ? 0 : 100_000),
      turn: fc.boolean(),
      gateAfterMs: fc.integer({ min: 1, max: 60_000 }),
      score: fc.nat(8),
      stalled: fc.boolean(),
      probeBudget: fc.boolean(),
      heapShare: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
    store: fc.constantFrom('ok' as const, 'cut-off' as const),
    done: fc.record(Object.fromEntries(Object.keys(NOTHING_DONE).map((step) => [step, result])) as Record<keyof typeof NOTHING_DONE, typeof result>),
    ambiguous: fc.constant([]),
    forcesLastMinute: fc.constantFrom(0, 1_000),
    startedAt: fc.constant(mono(50_000)),
    ticket: fc.option(
      fc.record({
        at: fc.constantFrom('queue' as const, 'gate' as const),
        class: fc.constantFrom('user' as const, 'auto' as const),
        deadline: fc.constantFrom(mono(55_000), mono(65_000)),
      }),
    ),
    refusal: fc.option(fc.record({ promiseAt: fc.integer({ min: 60_001, max: 90_000 }).map(mono), promise: fc.constant('p') })),
    jitter: fc.double({ min: 0, max: 0.999, noNaN: true }),
  });

  test('goes on, waits, or is given a time: there is no other step, and never a time that is none', () => {
    const seen = new Set<AdmissionStep['do']>();
    fc.assert(
      fc.property(facts, (f) => {
        const step = decideAdmission(f, options, mono(60_000));
        seen.add(step.do);
        if (step.do !== 'retry-later') return;
        expect(RETRY_REASONS).toContain(step.reason);
        expect(step.afterMs).toBeGreaterThan(0);
        expect(step.afterMs).toBeLessThanOrEqual(120_000);
        // Nobody whom a person sent is turned away while their own queue has a place.
        if (f.request.intent === 'user' && step.reason === 'no-seat-yet') expect(f.ticket).not.toBeNull();
      }),
      { numRuns: 20_000 },
    );
    expect([...seen].sort()).toEqual(['clean', 'enqueue', 'force', 'reattach', 'retry-later', 'seat', 'start-burst', 'wait']);
  });
});

describe('on the wire', () => {
  /** One seat, one place in the queue. */
  const TINY = { limits: { perUser: 1, burst: { perUser: 1 } }, queue: { places: 1, waitMs: 1_000 }, health: { newbornMs: 50 } };

  async function knock(gw: TestGateway, more: object = {}): Promise<WireClient> {
    const client = (await gw.open()).behave();
    client.sendFrame({ ...HELLO, token: await gw.token('ada'), ...more });
    await client.next('welcome');
    return client;
  }

  async function sentAway(client: WireClient): Promise<WireFrame> {
    const bye = await client.next('bye');
    const close = await client.close();
    expect(bye).toMatchObject({ return: 'after', resumable: true, resumeToken: expect.any(String), manager: expect.stringMatching(/^mgr_/) });
    expect(bye.retryAfterMs).toBeGreaterThan(0);
    expect(retryAfterOf(close.reason)).toBe(bye.retryAfterMs);
    expect(bye.text).toMatch(/\d+ s\.$/);
    expect(bye.code).toBe(close.code);
    return bye;
  }

  test('a full queue names the time at which it works, and it works', async () => {
    await using gw = await startGateway(TINY);
    await gw.seat('ada');
    const first = await knock(gw);
    await first.next('queued');
    const bye = await sentAway(await knock(gw));
    expect(bye.code).toBe(4100);
    await first.next('ready');
    await new Promise((resolve) => setTimeout(resolve, bye.retryAfterMs));
    const back = await knock(gw, { intent: 'auto', resume: { manager: bye.manager, token: bye.resumeToken, subs: [] } });
    await back.next('ready');
  });

  test('a program that waited in vain is told when to come back', async () => {
    await using gw = await startGateway(TINY);
    const { client } = await gw.seat('ada');
    client.behave();
    const auto = await knock(gw, { intent: 'auto' });
    await auto.next('queued');
    expect((await sentAway(auto)).code).toBe(4101);
  });
});

/** Every reason code. */
function reasons(): readonly ReasonCode[] {
  return [...END_REASONS, ...EVICT_REASONS, ...PEOPLE_REASONS, ...RETRY_REASONS, ...TRANSPORT_REASONS];
}

function groupedBy<T>(items: readonly T[], keyOf: (item: T) => string): Readonly<Record<string, readonly T[]>> {
  const groups: Record<string, T[]> = {};
  for (const item of items) groups[keyOf(item)] = [...(groups[keyOf(item)] ?? []), item];
  return groups;
}

/** Source without comments; texts keep their slashes, since these never stand behind a space in code. */
function withoutComments(source: string): string {
  return source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1');
}
