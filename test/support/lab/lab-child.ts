// A gateway in a process of its own that a test can stop, keep busy and rob of its store. Its set-up is the first argument; commands come
// and records go over IPC.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { AgentRun } from '../../../src/ports/agent.ts';
import type { Telemetry } from '../../../src/ports/telemetry.ts';
import type { AgentYield } from '../../../src/protocol/agent-events.ts';
import type { NodeId, ThreadId, UserId } from '../../../src/protocol/ids.ts';
import { redisStore } from '../../../src/stores/redis/store.ts';
import { startGateway } from '../gateway.ts';
import { canaryOf } from '../peers/canary.ts';
import { startBareServer, throwingProbes } from './bare-server.ts';
import type { Command, LabConfig, LabStatus, Memory, Said, UserStatus } from './commands.ts';
import { nowMs, watchStalls } from './time.ts';
import { WeatherStore } from './weather-store.ts';

const AWAKE_EVERY_MS = 50;
const config = JSON.parse(process.argv[2] ?? '{}') as LabConfig;
const say = (said: Said): void => {
  // Whoever started it may be gone.
  if (process.connected) process.send?.(said);
};
process.once('disconnect', () => process.exit(0));
watchStalls((stall) => say({ is: 'stall', stall }));
setInterval(() => say({ is: 'awake', at: nowMs() }), AWAKE_EVERY_MS).unref();

const busy = (ms: number): void => {
  const until = nowMs() + ms;
  while (nowMs() < until);
};

/** `busy 300`: computes for 300 ms in the gateway's loop; `long 3000`: a run of three seconds; else a short answer. */
async function* agent({ messages, signal }: AgentRun): AsyncGenerator<AgentYield> {
  const part = messages.at(-1)?.parts[0];
  const [word, number] = (part?.type === 'text' ? part.text : '').split(' ');
  yield { type: 'agent_started', agent_name: 'lab' };
  if (word === 'busy') busy(Number(number));
  const until = nowMs() + (word === 'long' ? Number(number) : 0);
  do {
    yield { type: 'text_delta', text: 'word ' };
    if (nowMs() < until) await new Promise((resolve) => setTimeout(resolve, 100));
  } while (nowMs() < until && !signal.aborted);
  yield { type: 'agent_completed', status: 'completed' };
}

/** Warnings for operators that tell of no fault: what tests bring about on purpose. */
const POLICY: readonly string[] = ['burst-changed', 'queue-entered', 'gap-told', 'store-lost'];

const telemetry: Telemetry = {
  record({ severity, event, message, error }) {
    const more = typeof error === 'string' ? `${message}: ${error}` : message;
    if (severity !== 'DEBUG' && severity !== 'INFO' && !POLICY.includes(event)) say({ is: 'trouble', trouble: { severity, event, message: more } });
  },
};
const shared = config.redis === undefined ? undefined : await redisStore({ url: config.redis });
const store = new WeatherStore(config.seed, shared);
const node = (config.node ?? 'gw-1') as NodeId;
// Whoever comes back shows its token to any node.
const signingKey = new TextEncoder().encode('a signing key of the lab, 32 b. ok');
const { gateway, url } = await startGateway({ ...config.options, store, agent, telemetry, node, ...(shared === undefined ? {} : { signingKey }) });
const loopDelay = monitorEventLoopDelay({ resolution: 5 });
loopDelay.enable();
const { factory } = gateway;
gateway.on('admission-ended', (record) => say({ is: 'admission', record, at: nowMs() }));
gateway.on('cleanup-finished', (report) => say({ is: 'cleanup', report, at: nowMs() }));
gateway.on('manager-ended', (record) => say({ is: 'ended', record, at: nowMs() }));

const throwsFor = new Set<string>();
let thrownProbes = 0;
let failedWrites: readonly string[] = [];
let offers: NodeJS.Timeout[] = [];
const barePort = await startBareServer(factory, (transport, user) =>
  throwingProbes(
    transport,
    () => throwsFor.has(user),
    () => {
      thrownProbes++;
    },
  ),
);

const publish = (user: string, thread: string, bytes: number): Promise<number> =>
  gateway
    .publish(user as UserId, thread as ThreadId, { type: 'text_delta', message_id: `msg_${'0'.repeat(20)}`, text: 'x'.repeat(bytes) })
    .then((position) => position.offset);

async function statusOf(user: string): Promise<UserStatus> {
  const limits = await factory.limits(user as UserId, 'free');
  const managers = factory
    .list(user as UserId)
    .map((m) => ({ id: m.id, verdict: `${m.verdict.is}: ${m.verdict.reason}`, proof: m.verdict.proof, isConnected: m.attachment !== null }));
  return { seats: limits.used, effective: limits.effective, sockets: limits.sockets, managers };
}

/** What finalizers and closed sockets let go of is free a turn later. */
async function memory(): Promise<Memory> {
  for (let i = 0; i < 4; i++) {
    globalThis.gc?.();
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  // What the wait itself made, heartbeats of hundreds among it, is nobody's.
  globalThis.gc?.();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heapUsed, external, rss };
}

/** Spread over the interval, so that nobody's latency is another one's turn. */
function tellCanaries({ users, everyMs, origin }: Extract<Command, { do: 'canaries' }>): void {
  for (const [i, user] of users.entries()) {
    let number = 0;
    const say = (): void => {
      const text = canaryOf(user, ++number, performance.timeOrigin + performance.now() - origin);
      gateway.publish(user as UserId, 'common' as ThreadId, { type: 'text_delta', text }).catch(() => {});
    };
    setTimeout(() => setInterval(say, everyMs), (i * everyMs) / users.length);
  }
}

async function obey(command: Command): Promise<unknown> {
  switch (command.do) {
    case 'publish':
      return await publish(command.user, command.thread, command.bytes);
    case 'offer':
      for (const timer of offers) clearInterval(timer);
      offers = command.to.map(({ user, thread }) => {
        const speak = (): void => {
          // In bad weather an event may not be logged; the next one follows.
          publish(user, thread, 8).catch(() => {});
        };
        speak();
        return setInterval(speak, command.everyMs);
      });
      return null;
    case 'canaries':
      tellCanaries(command);
      return null;
    case 'weather':
      store.become(command.weather);
      return null;
    case 'fail-writes':
      failedWrites = store.failWrites(command.user, command.times);
      return null;
    case 'throw-probes':
      throwsFor.add(command.user);
      return null;
    case 'busy':
      busy(command.ms);
      return null;
    case 'wall':
      return Date.now();
    case 'memory':
      return await memory();
    case 'consistency':
      return (await factory.checkConsistency()).differences;
    case 'loop-delay': {
      const ms = loopDelay.percentile(99) / 1e6;
      loopDelay.reset();
      return ms;
    }
    case 'living':
      return factory.cluster?.living ?? 1;
    case 'status': {
      const users: Record<string, UserStatus> = {};
      for (const user of command.users) users[user] = await statusOf(user);
      return { factory: factory.getFactoryStatus(), users, failedWrites, thrownProbes } satisfies LabStatus;
    }
  }
}

process.on('message', ({ id, command }: { readonly id: number; readonly command: Command }) => {
  obey(command).then(
    (value) => say({ is: 'answer', id, value }),
    (error: unknown) => say({ is: 'failed', id, why: String(error) }),
  );
});
say({ is: 'listening', port: Number(new URL(url).port), barePort });
