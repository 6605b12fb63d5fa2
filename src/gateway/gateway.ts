import type { IncomingMessage, ServerResponse } from 'node:http';
import { agentOf } from '../agents/generator.ts';
import { customAuthenticator } from '../auth/authenticate.ts';
import { createResumeTokens } from '../auth/resume-tokens.ts';
import { createTickets } from '../auth/tickets.ts';
import { sayGoodbye } from '../managers/delivery/farewell.ts';
import { WebSocketManagerFactory } from '../managers/factory.ts';
import { systemClock } from '../ports/clock.ts';
import type { Tell } from '../ports/events.ts';
import { newId, type Random, systemRandom } from '../ports/random.ts';
import type { Store } from '../ports/store.ts';
import { silent } from '../ports/telemetry.ts';
import { CLOSE } from '../protocol/close-codes.ts';
import { SpillwayError } from '../protocol/errors.ts';
import type { ManagerId, UserId } from '../protocol/ids.ts';
import { memoryStore } from '../stores/memory.ts';
import { createAlerting } from '../telemetry/alerting.ts';
import { configurationInCode } from './configuration.ts';
import { type Path, serve } from './connection.ts';
import { Connections } from './connections.ts';
import { createConversations } from './conversations.ts';
import { drainGateway } from './drain.ts';
import type { GatewayOptions } from './gateway-options.ts';
import { createHealth } from './health.ts';
import { createAdminApp } from './http/admin/app.ts';
import { createHttpApp } from './http/app.ts';
import { doorOf } from './http/door.ts';
import { openLive } from './live/open-live.ts';
import { createNodeBoard } from './node-board.ts';
import { nodeStatusOf } from './node-status.ts';
import { observe, retell } from './observe.ts';
import { openDesk } from './open-desk.ts';
import { createOriginPolicy } from './origins.ts';
import { RunBoard } from './runs.ts';
import type { Services } from './services.ts';
import { createSessions } from './sessions.ts';
import { Upgrader, type UpgradeSource } from './upgrade.ts';
import { VERSION } from './version.ts';

/** A gateway that listens nowhere by itself: hand its `handler` to a server, and `attach` it to that server's upgrades. */
export interface Gateway extends AsyncDisposable {
  readonly factory: WebSocketManagerFactory;
  /** HTTP, node style. */
  readonly handler: (request: IncomingMessage, response: ServerResponse) => void;
  /** HTTP, web style. */
  fetch(request: Request): Promise<Response>;
  /** The admin API, for a listener of its own that only operators reach; `attach` gives its pages their live connection. Without
   *  `adminKey` it knows only the health paths. */
  readonly admin: Pick<Gateway, 'handler' | 'fetch' | 'attach'>;
  /** Takes WebSocket upgrades on our path. `ownUpgrades`: answers 404 to those on other paths, for a server that is ours alone.
   *  Returns the undo. */
  attach(server: UpgradeSource, o?: { readonly ownUpgrades?: boolean }): () => void;
  publish: WebSocketManagerFactory['publish'];
  on: WebSocketManagerFactory['on'];
  /** Resolves when runs that a killed process left have their end, and readiness may say yes. */
  readonly recovered: Promise<void>;
  /** Moves clients away one by one and lets runs end. The server may be closed after it. */
  drain(o?: { readonly withinMs?: number }): Promise<void>;
}

const SIGNING_KEY_BYTES = 32;
const RECOVERY_RETRY_MS = 1_000;
const TRIM_EVERY_MS = 60_000;

/** A key for a gateway that shares its store with nobody, which none but itself has to believe. */
function ownKey(store: Store, random: Random): Uint8Array {
  if (store.cluster === null) return random.bytes(SIGNING_KEY_BYTES);
  throw new SpillwayError(
    'SPILLWAY_BAD_OPTION',
    `Expected \`signingKey\` with a store that several nodes share, got none. Give the same ${SIGNING_KEY_BYTES} secret bytes to every node: with keys of their own none would know the clients of the others again.`,
  );
}

/** Puts a gateway together: who may come, who answers, where things are kept. Throws one `SpillwayError` naming every option that
 *  is wrong. */
export function createGateway(options: GatewayOptions): Gateway {
  const {
    authenticate,
    accounts,
    agent,
    store: ownStore = memoryStore(),
    signingKey,
    adminKey = null,
    adminReadOnly = false,
    configuration,
    dashboardPages = null,
    origins,
    chatPages,
    drills,
    alerts = {},
    prefix = '',
    node,
    telemetry = silent,
    clock = systemClock,
    random = systemRandom,
    ...partial
  } = options;
  const factory = new WebSocketManagerFactory({ ...partial, store: ownStore, telemetry, clock, random, ...(node === undefined ? {} : { node }) });
  // From here on, so that every question to it is counted.
  const { store } = factory;
  const tell: Tell = (name, event) => factory.tell(name, event);
  const answering = agentOf(agent);
  const signingKeyOrRandom = signingKey ?? ownKey(ownStore, random);
  if (factory.cluster !== null && signingKey === undefined)
    telemetry.record({
      severity: 'WARNING',
      event: 'signing-key-random',
      message: 'Give every gateway of this store the same `signingKey`, 32 bytes: without it a client that comes back to another one is admitted anew.',
    });
  const stopRetelling = retell(factory, telemetry);
  const stopMourning = factory.cluster?.onDeath((life) => {
    const last = factory.cluster?.nodes().find(({ card }) => card.node === life.node && card.incarnation === life.incarnation);
    tell('node-died', { node: life.node, drained: last?.card.isDraining === true });
  });
  const observatory = adminKey === null ? null : observe(factory, clock, telemetry);
  const alerting =
    observatory === null
      ? null
      : createAlerting({
          options: alerts,
          observatory,
          clock,
          telemetry,
          node: factory.node,
          version: VERSION,
          changed: (change) => tell('alert-changed', change),
        });
  const connections = new Connections(tell);
  const sessions = createSessions({
    factory,
    connections,
    clock,
    loggedOutElsewhere: (user, family) => {
      accounts?.loggedOutElsewhere(user, family);
      app.endLogin(user, family);
    },
  });
  const runDeps = {
    node: factory.node,
    agent: answering,
    options: factory.options,
    clock,
    random,
    store,
    telemetry,
    tell,
    repeated: () => factory.repeated(),
    sessions: (user: UserId, current: ManagerId | null) => sessions.list(user, current),
    storeFailing: () => factory.streams.storeFailing,
  };
  const runs = new RunBoard(factory.streams, runDeps, factory.cluster);
  let isDraining = false;
  let isRecovered = false;
  let isClosed = false;
  const services: Services = {
    version: VERSION,
    agentName: answering.name,
    options: factory.options,
    clock,
    random,
    telemetry,
    store,
    tell,
    authenticator: typeof authenticate === 'function' ? customAuthenticator(authenticate, clock) : authenticate,
    accounts: accounts ?? null,
    tickets: createTickets(store.credentials, random, clock),
    resumeTokens: createResumeTokens(signingKeyOrRandom),
    origins: createOriginPolicy({ allow: origins ?? [] }),
    sessions,
    conversations: createConversations(store, factory.streams, tell),
    runs,
    health: createHealth({
      store,
      streams: factory.streams,
      isDraining: () => isDraining,
      isRecovered: () => isRecovered,
      quarantined: () => factory.quarantined,
      crowded: () => factory.crowded,
      leaseMs: () => (factory.cluster === null ? null : factory.telemetry.gauges().leaseRemainingMs),
    }),
    observatory,
    prefix,
  };
  const app = createHttpApp(services, chatPages === undefined ? {} : { chatPages });
  const board = createNodeBoard({
    cluster: factory.cluster,
    clock,
    status: nodeStatusOf({
      factory,
      version: VERSION,
      clock,
      store,
      history: observatory?.history ?? null,
      isDraining: () => isDraining,
      isStarting: () => !isRecovered,
    }),
    summary: () => observatory?.summary() ?? null,
  });
  const desk =
    adminKey === null
      ? null
      : openDesk(services, factory, {
          adminKey,
          signingKey: signingKeyOrRandom,
          readOnly: adminReadOnly,
          configuration: () => configuration ?? configurationInCode(factory.options, partial),
          alerts: alerting,
          drills: drills ?? null,
          board,
          drain,
        });
  const adminApp = createAdminApp(services, factory, desk, dashboardPages);
  const live =
    desk === null
      ? null
      : openLive(services, {
          operators: desk.operators,
          factory,
          isReadOnly: desk.readOnly,
          hasGoldenPath: alerts.goldenPathEveryMs !== undefined,
          history: observatory?.history ?? null,
          summary: observatory === null ? null : () => observatory.summary(),
          board,
          alerts: alerting === null ? null : () => alerting.statuses(),
          nodes: () => desk.nodes(),
          drills: drills ?? null,
        });
  const path: Path = { services, factory, runs, connections, isDraining: () => isDraining };
  const upgrader = new Upgrader(services, { isDraining: () => isDraining, overloadedForMs: () => factory.overloadedForMs }, (transport, arrival) => {
    serve(transport, arrival, path).catch((error: unknown) => {
      const id = newId(random, 'cln');
      telemetry.record({
        severity: 'ERROR',
        event: 'connection-failed',
        message: `A connection ended by an error of ours: ${error instanceof Error ? error.message : String(error)}`,
        id,
      });
      sayGoodbye(transport, { close: CLOSE.internalError });
    });
  });
  const recovered = untilItWorks(() => runs.recover()).then(() => {
    isRecovered = true;
  });
  let cancelTrim = armTrim();
  const detachers: (() => void)[] = [];

  async function untilItWorks(work: () => Promise<void>): Promise<void> {
    while (!isClosed) {
      try {
        await work();
        return;
      } catch (error) {
        telemetry.record({
          severity: 'ERROR',
          event: 'recovery-failed',
          message: `Interrupted runs could not be looked up yet: ${error instanceof Error ? error.message : String(error)}`,
        });
        await new Promise<void>((resolve) => clock.after(RECOVERY_RETRY_MS, resolve));
      }
    }
  }

  function armTrim(): () => void {
    return clock.after(TRIM_EVERY_MS, () => {
      const { keepMs, streamBytes } = factory.options.log;
      factory.streams
        .trim({ keepMs, streamBytes })
        .catch((error: unknown) =>
          telemetry.record({ severity: 'WARNING', event: 'retention-failed', message: error instanceof Error ? error.message : String(error) }),
        )
        .finally(() => {
          if (!isClosed) cancelTrim = armTrim();
        });
    });
  }

  async function drain(withinMs: number): Promise<void> {
    const startedAt = clock.mono();
    if (!isDraining) tell('drain-started', { node: factory.node });
    isDraining = true;
    factory.cluster?.draining();
    app.endStreams();
    await drainGateway({ factory, connections, runs, options: factory.options, clock, withinMs });
    tell('drain-finished', { node: factory.node, durationMs: Math.round(clock.mono() - startedAt) });
  }

  return {
    factory,
    ...doorOf(app, telemetry),
    admin: { ...doorOf(adminApp, telemetry), attach: (server, o = {}) => live?.attach(server, { ownUpgrades: o.ownUpgrades ?? false }) ?? (() => {}) },
    attach(server, o = {}) {
      const detach = upgrader.attach(server, { prefix, ownUpgrades: o.ownUpgrades ?? false });
      detachers.push(detach);
      return detach;
    },
    publish: (...args) => factory.publish(...args),
    on: (name, listener) => factory.on(name, listener),
    recovered,
    drain: (o = {}) => drain(o.withinMs ?? factory.options.shutdown.timeoutMs),
    async [Symbol.asyncDispose]() {
      isDraining = true;
      isClosed = true;
      cancelTrim();
      for (const detach of detachers) detach();
      app.endStreams();
      adminApp.endStreams();
      adminApp[Symbol.dispose]();
      board[Symbol.dispose]();
      sessions[Symbol.dispose]();
      live?.end();
      alerting?.[Symbol.dispose]();
      observatory?.stop();
      stopRetelling();
      stopMourning?.();
      connections.terminate();
      await runs.stop(0);
      runs[Symbol.dispose]();
      await factory[Symbol.asyncDispose]();
    },
  };
}
