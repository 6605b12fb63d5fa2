/** Every option: key, kind, default and what it does. Types, environment names, flags, `config` output and docs/options.md
 *  are made from this table. */

export type OptionKind =
  | { readonly kind: 'ms' | 'bytes' | 'count'; readonly default: number | null; readonly fast?: number; readonly min?: number; readonly max?: number }
  | { readonly kind: 'share'; readonly default: number }
  | { readonly kind: 'flag'; readonly default: boolean }
  | { readonly kind: 'text'; readonly default: string | null; readonly secret?: true }
  | { readonly kind: 'choice'; readonly default: string; readonly of: readonly string[] }
  | { readonly kind: 'texts'; readonly default: readonly string[] }
  | { readonly kind: 'shares'; readonly default: readonly number[] }
  | { readonly kind: 'tiers'; readonly default: Readonly<Record<string, TierOptions>> };

export interface TierOptions {
  /** Share of a full node's freed seats, relative to other tiers. */
  readonly weight: number;
  /** May use the reserve above the node limit. */
  readonly protected: boolean;
}

type Spec = OptionKind & {
  /** One sentence: what it does. */
  readonly does: string;
  /** Who reads it: `core` options exist in the library too, `server` ones only in the command-line program. */
  readonly scope: 'core' | 'server';
};

/** A time in milliseconds. `fast` is its value under `timing: 'fast'`, where that differs. */
const ms = (def: number, does: string, fast?: number) => ({ kind: 'ms', default: def, does, scope: 'core', ...(fast === undefined ? {} : { fast }) }) as const;
const count = (def: number, does: string, min = 0) => ({ kind: 'count', default: def, does, min, scope: 'core' }) as const;
const share = (def: number, does: string) => ({ kind: 'share', default: def, does, scope: 'core' }) as const;
const bytes = (def: number, does: string, min = 1) => ({ kind: 'bytes', default: def, does, min, scope: 'core' }) as const;
const flag = (def: boolean, does: string) => ({ kind: 'flag', default: def, does, scope: 'core' }) as const;
const text = <D extends string | null>(def: D, does: string) => ({ kind: 'text', default: def, does, scope: 'server' }) as const;
const secret = (does: string) => ({ kind: 'text', default: null, secret: true, does, scope: 'server' }) as const;
const choice = <const T extends readonly string[]>(of: T, def: T[number], does: string) => ({ kind: 'choice', default: def, of, does, scope: 'core' }) as const;
/** The same for options that only the command-line program reads. */
const serverChoice = <const T extends readonly string[]>(of: T, def: T[number], does: string) =>
  ({ kind: 'choice', default: def, of, does, scope: 'server' }) as const;
const serverFlag = (def: boolean, does: string) => ({ kind: 'flag', default: def, does, scope: 'server' }) as const;

export const OPTIONS = {
  timing: choice(['default', 'fast'], 'default', 'Preset of all liveness times; `fast` divides them by ten, for tests and demonstrations.'),

  'limits.perUser': count(20, 'Seats a user may hold before relief starts. The limit is soft: reaching it never refuses anybody.', 1),
  'limits.burst.perUser': count(25, 'Seats a user may hold while a burst lease runs.', 1),
  'limits.burst.forMs': ms(60_000, 'How long a burst lease runs.'),
  'limits.burst.coolDownMs': ms(900_000, 'How long after repayment the next burst lease may start.'),
  'limits.burst.debtMaxMs': ms(600_000, 'How long seats above the limit may stay after a lease while their runs go on.'),
  'limits.overflowPolicy': choice(
    ['burst-first', 'force-first'],
    'burst-first',
    'What comes when cleanup left too little: a burst lease and the queue, or Force at once.',
  ),
  'limits.perNode': count(20_000, 'Seats this node holds before it asks users to wait for each other.', 1),
  'limits.reserveShare': share(0.05, 'Seats above `limits.perNode` kept for protected tiers, as a share of it (at least 2).'),

  'queue.places': count(10, 'Places in a user’s queue.', 1),
  'queue.waitMs': ms(10_000, 'How long a person waits in the queue at most; then Force seats them.'),
  'queue.promiseMs': ms(5_000, 'How long a place is kept for a client that was told to come back.'),
  'queue.gatePlaces': count(1_000, 'Places in the queue of a full node.', 1),
  'displacement.perMinute': count(60, 'Evictions of living managers that a user may cause a minute by saying a person asked.', 1),
  tiers: {
    kind: 'tiers',
    default: {
      enterprise: { weight: 8, protected: true },
      mid: { weight: 4, protected: false },
      early: { weight: 2, protected: false },
      free: { weight: 1, protected: false },
    },
    does: 'Order among users who wait for a full node, by tier; unknown tiers count as the lightest.',
    scope: 'core',
  },

  'health.pingEveryMs': ms(5_000, 'How often a transport is asked for the pong of a nonce.', 500),
  'health.transportDeadMs': ms(25_000, 'Silence of a transport after which it is ended.', 2_500),
  'health.heartbeatMs': ms(15_000, 'A client hears from the gateway at least this often (±20 %).', 1_500),
  'health.clientTimeoutMs': ms(25_000, 'A client that hears nothing for this long drops its socket and resumes.', 2_500),
  'health.helloMs': ms(10_000, 'A connection says `hello` within this time, whatever else it sends.', 1_000),
  'health.ackQuietMs': ms(1_000, 'Owed events without ack progress for this long bring a probe.', 100),
  'health.freshMs': ms(10_000, 'Evidence younger than this needs no probe.', 1_000),
  'health.ackStalledMs': ms(3_000, 'Owed events without ack progress for this long are a finding.', 300),
  'health.writeStalledMs': ms(5_000, 'Output that does not drain for this long is a finding.', 500),
  'health.appDeadMs': ms(75_000, 'Silence of an application after which it is dead, while there is room.', 7_500),
  'health.appDeadFullMs': ms(20_000, 'The same at the limit; linear in between from 70 %.', 2_000),
  'health.probeFloorMs': ms(200, 'Shortest patience with a probe.'),
  'health.confirmMaxMs': ms(2_000, 'Longest patience with the probe that confirms a death.', 200),
  'health.suspectMaxMs': ms(5_000, 'Longest patience with a probe before it makes a suspect.', 500),
  'health.reattachGraceMs': ms(5_000, 'A manager that lost its transport this recently goes only if its seat is needed.', 500),
  'health.newbornMs': ms(5_000, 'A manager younger than this goes last.', 500),
  'health.stallGapMs': ms(100, 'A tick of ours later than this is our own stall.'),
  'health.sickScore': count(4, 'From this score of our own health on, findings against peers are void.', 1),

  'cleanup.slaMs': ms(500, 'A cleanup and the admission that needs it are decided within this time.'),
  'cleanup.cutOverMs': ms(400, 'From here on the evidence at hand decides.'),
  'cleanup.probeRoundMs': ms(200, 'One parallel round of probes in an emergency.'),
  'cleanup.passMs': ms(5_000, 'How often the background pass runs.', 500),
  'cleanup.proactive': flag(true, 'Frees the dead before anybody needs their seats.'),
  'cleanup.proactiveAt': { kind: 'shares', default: [0.7, 0.85, 0.95], does: 'Shares of the limit at which the background pass looks harder.', scope: 'core' },
  'cleanup.watchOn': share(0.8, 'Share of the limit from which everybody’s evidence is kept fresh.'),
  'cleanup.watchOff': share(0.7, 'Share of the limit below which that ends.'),
  'cleanup.watchHoldMs': ms(30_000, 'How long it must have been below.'),
  'cleanup.idleMs': ms(300_000, 'Quiet time after which an idle manager may go, while there is room.', 30_000),
  'cleanup.idleFullMs': ms(60_000, 'The same at the limit.', 6_000),
  'cleanup.liveMaxModerate': count(2, 'Living managers that level `moderate` may take at most.'),
  'cleanup.liveMaxAggressive': count(5, 'Living managers that level `aggressive` may take at most.'),
  'cleanup.lingerModerateMs': ms(2_000, 'How long an evicted transport may take its farewell at level `moderate`.'),
  'cleanup.lingerAggressiveMs': ms(250, 'The same at level `aggressive`.'),
  'cleanup.lingerForceMs': ms(250, 'The same at level `force`.'),
  'cleanup.proofMs': ms(100, 'A terminated socket that is not gone after this is quarantined.'),
  'cleanup.quarantineRetryMs': ms(1_000, 'How often a quarantined socket is destroyed again.'),
  'cleanup.minFreeShare': share(0.1, 'Share of the limit that proactive cleanup tries to keep free.'),
  'cleanup.maxPinnedSpare': count(2, 'Seats that pins must leave.'),
  'cleanup.seatPromiseMs': ms(3_000, 'How long a freed seat is kept for the admission that paid for it.'),

  'lease.ttlMs': ms(30_000, 'A seat not renewed for this long ends.'),
  'lease.renewMs': ms(10_000, 'How often a node renews the seats of its managers.'),
  'lease.tombstoneMs': ms(600_000, 'How long an eviction is remembered for a holder that was away.'),

  'resume.windowMs': ms(120_000, 'How long a manager keeps its seat for a client whose transport is gone.'),
  'window.minBytes': bytes(16_384, 'Least unacknowledged bytes that may be under way to a client.'),
  'window.maxBytes': bytes(262_144, 'Most unacknowledged bytes that may be under way to a client.'),
  'ack.frames': count(16, 'A client acknowledges after this many frames at the latest.', 1),
  'ack.bytes': bytes(16_384, 'A client acknowledges after this many bytes at the latest.'),
  'ack.ms': ms(250, 'A client acknowledges with the first frame this long after its last ack.'),
  'tickets.ttlMs': ms(30_000, 'How long a ticket may be used if the request names no time.'),

  'log.keepMs': ms(900_000, 'A run’s entries are kept this long after its end.'),
  'log.streamBytes': bytes(4_194_304, 'Most bytes of ended runs kept a stream.'),
  'log.runBytes': bytes(16_777_216, 'Most bytes that one run may log; then it fails, visibly.'),
  'run.waiting': count(8, 'Accepted messages that may wait for the run before them, a thread.', 1),
  'run.silentMs': ms(120_000, 'An agent that yields nothing for this long has failed.'),

  'rate.framesPer10s': count(100, 'Frames a client may send in ten seconds; more are answered with an error.', 1),
  'rate.closeFramesPer10s': count(1_000, 'Frames in ten seconds at which a connection is closed for a while.', 1),
  'rate.loginsPerMinute': count(10, 'Log-in attempts a minute for a name and an address.', 1),
  'rate.upgradesPer10s': count(1_000, 'WebSocket connects from one address in ten seconds before it is told to wait.', 1),
  'sse.perUser': count(10, 'Event streams over HTTP a user may have open; an eleventh ends the oldest.', 1),

  'shutdown.predelayMs': ms(0, 'How long readiness fails before clients are moved.'),
  'shutdown.timeoutMs': ms(60_000, 'How long runs may go on after the stop was asked for.'),
  'shutdown.spreadMs': ms(2_000, 'Time over which clients are moved, one by one.'),

  listen: text(':8787', 'Where the public listener listens, `[host]:port`.'),
  'admin.listen': text('127.0.0.1:8788', 'Where the listener for operators listens, `[host]:port`. Beyond this machine it needs `admin.token`.'),
  'admin.token': secret('Key for the admin API, of 16 characters or more. Without it the key in the file `admin-key` of the data folder counts.'),
  'admin.readOnly': serverFlag(false, 'Refuses everything that an operator could change.'),
  store: text(
    'sqlite:.spillway/spillway.sqlite',
    '`memory`, `sqlite:FILE`, or what several gateways share: `redis://HOST:PORT`, `redis+cluster://HOST:PORT,…`, `redis+sentinel://HOST:PORT,…/NAME`; `rediss` for TLS.',
  ),
  'redis.password': secret('Password for the Redis or Valkey of `store`, where its address has none.'),
  'redis.prefix': text('sp', 'Stands before every key in Redis: gateways with other prefixes share nothing.'),
  node: text(null, 'Name of this gateway among those that share its store; default: `gw-` and random characters.'),
  workers: {
    kind: 'count',
    default: 1,
    min: 1,
    does: 'Gateway processes on the one port of `listen`, each a node of its own; more than 1 needs a store that they share.',
    scope: 'server',
  },
  signingKey: secret(
    'Signs resume tokens and tokens of roles, 32 characters or more. Default: the key of the data folder; gateways that share a store agree on one there.',
  ),
  data: text('.spillway', 'Folder for the store, the signing key, the admin key and the accounts of `auth.mode: dev`.'),
  'agent.kind': serverChoice(
    ['embedded', 'openai-compatible'],
    'embedded',
    'Who answers: the built-in demo agent, or a model behind an OpenAI-compatible endpoint.',
  ),
  'agent.baseUrl': text(null, 'Base URL of the endpoint, such as http://127.0.0.1:11434/v1.'),
  'agent.model': text(null, 'Name of the model, as the endpoint spells it.'),
  'agent.apiKey': secret('Key for the endpoint; best given as SPILLWAY_AGENT_API_KEY.'),
  'agent.system': text(null, 'System prompt for the model.'),
  'auth.mode': serverChoice(['dev', 'jwt'], 'jwt', '`dev`: accounts from a file and our own tokens. `jwt`: tokens of your issuer.'),
  'auth.jwtSecret': secret('Shared secret with which your issuer signs HS256 tokens.'),
  'auth.jwksUrl': text(null, 'Where your issuer publishes its public keys.'),
  'auth.issuer': text(null, 'The `iss` that tokens must carry, if you set it.'),
  'auth.audience': text(null, 'The `aud` that tokens must carry, if you set it.'),
  'auth.tokenTtlMs': { kind: 'ms', default: 3_600_000, does: 'Life of an access token made by `auth.mode: dev`.', scope: 'server' },
  'auth.refreshTtlMs': { kind: 'ms', default: 2_592_000_000, does: 'Life of a refresh token made by `auth.mode: dev`.', scope: 'server' },
  'auth.origins': { kind: 'texts', default: [], does: 'Origins of pages that may connect, besides the gateway’s own.', scope: 'server' },
  'logging.level': serverChoice(['debug', 'info', 'warn', 'error', 'silent'], 'info', 'Least severity that is logged.'),
  'logging.format': serverChoice(
    ['auto', 'json', 'gcp', 'pretty'],
    'auto',
    '`auto`: pretty on a terminal, `gcp` on Google Cloud, else `json`: one object a line.',
  ),
  'pages.chat': serverFlag(true, 'Serves the chat page at `/`.'),
  'pages.dashboard': serverFlag(true, 'Serves the operators’ dashboard on the port of `admin.listen`.'),
  drills: serverFlag(false, 'Lets operators start drills: real trouble with clients of its own. On in `dev`.'),
  'alerts.webhook': secret('URL that is told, as JSON by POST, when an alert begins or ends. A secret, since those of chat services are.'),
  'goldenPath.everyMs': {
    kind: 'ms',
    default: 30_000,
    does: 'How often a client of our own logs in, asks and checks the whole answer; 0: never.',
    scope: 'server',
  },
  'goldenPath.token': secret(
    'Access token that the golden path uses where another issuer makes the tokens, best of a user of its own; without it the golden path is off there.',
  ),
  'goldenPath.agent': serverChoice(
    ['embedded', 'own'],
    'embedded',
    'Who answers the golden path: the built-in agent, which costs nothing, or the one that answers people.',
  ),
  'telemetry.userId': serverChoice(['hashed', 'plain'], 'hashed', 'How users are named in traces.'),
  'telemetry.otlp': serverFlag(false, 'Sends traces and metrics by OpenTelemetry; needs its packages, and reads its own `OTEL_*` variables.'),
} as const satisfies Readonly<Record<string, Spec>>;

export type OptionKey = keyof typeof OPTIONS;

type ValueOf<S> = S extends { kind: 'tiers' }
  ? Readonly<Record<string, TierOptions>>
  : S extends { kind: 'texts' }
    ? readonly string[]
    : S extends { kind: 'shares' }
      ? readonly number[]
      : S extends { kind: 'choice'; of: readonly (infer C)[] }
        ? C
        : S extends { kind: 'flag' }
          ? boolean
          : S extends { kind: 'text' }
            ? string | (S extends { default: null } ? null : never)
            : number;

type Head<K> = K extends `${infer H}.${string}` ? H : K;
type Nest<F> = {
  readonly [H in Head<keyof F & string>]: H extends keyof F
    ? ValueOf<F[H]>
    : Nest<{ [K in keyof F & string as K extends `${H}.${infer R}` ? R : never]: F[K] }>;
};
type DeepPartial<T> = T extends readonly unknown[] | string | number | boolean | null ? T : { readonly [K in keyof T]?: DeepPartial<T[K]> | undefined };
type InScope<S extends string> = { [K in OptionKey as (typeof OPTIONS)[K] extends { scope: S } ? K : never]: (typeof OPTIONS)[K] };

/** The complete, resolved options that decisions read. */
export type Options = Nest<InScope<'core'>>;
/** What a caller of the library may leave out. */
export type PartialOptions = DeepPartial<Options>;
/** Everything that the server can be configured to do. */
export type ServerOptions = Nest<typeof OPTIONS>;
