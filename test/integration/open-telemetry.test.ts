import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../src/ports/clock.ts';
import { loadOpenTelemetry } from '../../src/telemetry/otel/open-telemetry.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { type OtlpReceiver, startOtlpReceiver } from '../support/otlp-receiver.ts';
import type { WireFrame } from '../support/wire-client.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';
const SETTINGS = { OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json', OTEL_TRACES_SAMPLER: 'always_on', OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment=test' };

let receiver: OtlpReceiver;
beforeAll(async () => {
  receiver = await startOtlpReceiver();
  Object.assign(process.env, SETTINGS, { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url });
});
afterAll(async () => {
  for (const name of [...Object.keys(SETTINGS), 'OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_NODE_RESOURCE_DETECTORS']) delete process.env[name];
  await receiver[Symbol.asyncDispose]();
});

/** Sends everything of what `story` does, and resolves when it was received. */
async function received(userId: 'hashed' | 'plain', story: (gw: TestGateway) => Promise<void>): Promise<void> {
  await using gw = await startGateway({ limits: { perUser: 2, burst: { perUser: 2 }, overflowPolicy: 'force-first' } });
  const { factory } = gw.gateway;
  await using _sent = (await loadOpenTelemetry()).start(factory.telemetry, {
    clock: systemClock,
    version: '1.2.3',
    node: factory.node,
    serviceName: 'spillway',
    tiers: ['free'],
    waitMs: 10_000,
    model: { provider: 'tests', name: 'echo-1' },
    userId,
    key: new TextEncoder().encode('a key of the tests'),
  });
  await story(gw);
}

const resumeOf = (ready: WireFrame) => ({ resume: { manager: ready.manager, token: ready.resumeToken, subs: [] } });

test('a collector receives the spans of admissions, cleanups, evictions, returns and answers, and the metrics by their dotted names', async () => {
  let evicted = '';
  await received('hashed', async (gw) => {
    const { ready: first, client } = await gw.seat('ada');
    client.sendFrame({ type: 'send', id: 'send-1', thread: 'my-thread', data: { text: 'the secret of ada' } });
    await client.next('run-accepted');
    const { ready: second } = await gw.seat('ada');
    const { ready: third } = await gw.seat('ada', { traceparent: `00-${TRACE}-${PARENT}-01` });
    evicted = [first, second].map(({ manager }) => manager as string).find((id) => gw.gateway.factory.find(id as never) === undefined) ?? '';
    await gw.seat('ada', resumeOf(third));
  });

  const named = (name: string) => receiver.spans.filter((span) => span.name === name);
  const admits = named('spillway.admit');
  expect(admits.map(({ attributes }) => attributes['spillway.outcome']).toSorted()).toEqual(['force', 'reattached', 'seated', 'seated']);
  const [forced] = admits.filter(({ attributes }) => attributes['spillway.outcome'] === 'force');
  expect(forced).toMatchObject({
    traceId: TRACE,
    parentSpanId: PARENT,
    attributes: { 'spillway.node': 'gw-1', 'spillway.tier': 'free', 'spillway.intent': 'user' },
  });
  expect(forced?.attributes['user.id']).toMatch(/^[0-9a-f]{16}$/);

  const [cleanup] = named('spillway.cleanup').filter(({ attributes }) => attributes['spillway.trigger'] === 'admission');
  expect(cleanup).toMatchObject({ traceId: TRACE, parentSpanId: PARENT, attributes: { 'spillway.level': 'force', 'spillway.result': 'enough' } });
  expect(named('spillway.evict')).toMatchObject([
    { traceId: TRACE, parentSpanId: cleanup?.spanId, attributes: { 'session.id': evicted, 'spillway.reason': 'lowest-value' } },
  ]);
  expect(named('spillway.resume')).toMatchObject([{ attributes: { 'spillway.result': 'attached' } }]);
  expect(named('chat echo-1')).toMatchObject([
    { isError: false, attributes: { 'gen_ai.operation.name': 'chat', 'gen_ai.provider.name': 'tests', 'gen_ai.conversation.id': 'my-thread' } },
  ]);

  const seated = receiver.points('spillway.admissions').filter(({ attributes }) => attributes.outcome === 'force');
  expect(seated).toEqual([{ value: 1, attributes: { outcome: 'force', tier: 'free', intent: 'user' } }]);
  expect(receiver.points('spillway.admission').reduce((sum, { value }) => sum + value, 0)).toBe(3);
  expect(receiver.points('spillway.seats')).toEqual([{ value: 2, attributes: {} }]);
  expect(receiver.points('gen_ai.client.operation.duration')).toMatchObject([{ value: 1, attributes: { 'gen_ai.request.model': 'echo-1' } }]);
  const all = receiver.bodies.join('\n');
  expect(all).toContain('deployment.environment');
  for (const secret of ['the secret of ada', '"ada"', 'command_args', 'token']) expect(all).not.toContain(secret);
});

test('users are named plainly where that is wanted', async () => {
  receiver.spans.length = 0;
  await received('plain', async (gw) => void (await gw.seat('ada')));
  expect(receiver.spans).toMatchObject([{ name: 'spillway.admit', attributes: { 'user.id': 'ada' } }]);
});

test('without its packages the start fails, with the line that installs them', async () => {
  const program = `
    import { registerHooks } from 'node:module';
    registerHooks({ resolve(name, context, next) {
      if (name.startsWith('@opentelemetry/')) throw Object.assign(new Error('Cannot find package ' + name), { code: 'ERR_MODULE_NOT_FOUND' });
      return next(name, context);
    } });
    const { loadOpenTelemetry } = await import(${JSON.stringify(new URL('../../src/telemetry/otel/open-telemetry.ts', import.meta.url).href)});
    await loadOpenTelemetry().catch(({ code, message }) => console.log(code, message));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program]);
  expect(stdout).toMatch(/^SPILLWAY_MISSING_PACKAGE .*`telemetry\.otlp`.*npm install @opentelemetry\/api @opentelemetry\/sdk-node\n$/);
});
