import type { Stall } from '../support/lab/time.ts';

/** What a row of the catalogue is: a fault that can happen to a client, a link or a gateway, how it is produced, and what must follow. */

/** Bounds of the catalogue. K2: FIN or RST arrives. T30: the transport is silent or stuck. A80: the application is frozen, its transport
 *  live. H15: the handshake stays unfinished. */
export type Bound = 'K2' | 'T30' | 'A80' | 'H15';

export type Expectation =
  /** Noticed within the bound, nobody else closed. */
  | { readonly is: 'noticed'; readonly bound: Bound }
  /** OK0: the gateway closes none, and no verdict is `zombie` or `inactive`. */
  | { readonly is: 'left-alone' }
  /** Reported; only loss is judged. */
  | { readonly is: 'info' }
  /** The row judges itself (F13…F15). */
  | { readonly is: 'own'; readonly promise: string };

/** What a row needs of the machine. Each is tried, never guessed from the platform. */
export type Need = 'namespaces' | 'packet-forwarder' | 'nginx' | 'haproxy' | 'chromium' | 'faketime' | 'redis' | 'conntrack';

export interface Times {
  /** Divides every time of the catalogue: 1, or 10 for `fast`. */
  readonly divisor: 1 | 10;
  /** Added to every bound: 0, or 500 for `fast`. */
  readonly slackMs: number;
}

/** Where a maker finds the gateway under test. */
export interface Target {
  /** The public listener, as clients of this row reach it: `http://127.0.0.1:…`, or the gateway's address in its namespace. */
  readonly url: string;
  readonly gatewayPid: number;
  readonly times: Times;
  /** A folder of this run's files. */
  readonly folder: string;
  token(user: string): Promise<string>;
}

/** A client that a maker has made: it works until it is told to break. */
export interface Subject extends AsyncDisposable {
  readonly user: string;
  readonly thread: string;
  /** Its manager; null for a peer that never says hello. */
  manager(): string | null;
  /** Remote ports of its sockets as the gateway's kernel sees them; behind a proxy the proxy's. */
  sockets(): readonly { readonly address: string; readonly port: number }[];
  /** The file of `Line`s that its client writes; null where nothing is applied (F09). The runner reads its notes too: `close` with code and
   *  reason, `dial`, and `state`, as `Recorder` writes them. */
  readonly file: string | null;
  /** Times in which its own process could not run, in `nowMs()`; left out where nobody measures. */
  readonly stalls?: () => readonly Stall[];
  /** Produces the fault. Resolves when it is there. */
  breaks(): Promise<void>;
  /** Null when the fault is proved to be in force; else what speaks against it: the row is void. Asked again during the window. */
  proof(): Promise<string | null>;
  /** Undoes the fault; a killed client is started again from its file. */
  heals(): Promise<void>;
  /** Asked once when the row is over: what else it promises and did not hold in time, in words; on a machine that is too busy it
   *  is void. Left out: nothing else. */
  broken?(): Promise<readonly string[]>;
  /** Figures for the report, asked when the window ends. */
  notes?(): Promise<readonly string[]>;
}

export interface MakeOptions {
  readonly target: Target;
  readonly user: string;
  readonly thread: string;
  /** Which of the row's clients this is, from 0; loopback addresses and namespaces are named by it. */
  readonly index: number;
}
export type Make = (o: MakeOptions) => Promise<Subject>;

export interface ClientRow {
  readonly phase: 'clients';
  readonly key: string;
  /** Where it happens: "laptop or phone asleep". */
  readonly field: string;
  /** How it is produced: "SIGSTOP". */
  readonly by: string;
  readonly expect: Expectation;
  readonly needs: readonly Need[];
  /** Whether `npm test` runs it too. */
  readonly fast: boolean;
  /** What the agent sends while the row runs. */
  readonly load: Load;
  readonly make: Make;
  /** How many clients; default 5. */
  readonly clients?: number;
  /** Observed for so long (not divided yet); default 130 s. */
  readonly windowMs?: number;
  /** How often its client may dial again by itself while it is left alone; default 0. */
  readonly mayReconnect?: number;
  /** Run again with the user at 14/20 and at 20/20 among healthy clients. */
  readonly crowded?: boolean;
  /** It answers all the time, so it is left alone however full its user is. Left out: up to 70 % of the limit. */
  readonly atAnyFill?: boolean;
}

/** Events a second and bytes each, of which every `plainEvery`-th cannot be merged; null: nothing at all. With `forMs` it ends so long
 *  after the injection. Small events come faster under `fast`; a load of large ones is a bandwidth, which stays. */
export type Load = { readonly perSecond: number; readonly bytes: number; readonly plainEvery: number; readonly forMs?: number } | null;

/** A row in a phase of its own: it stops, kills or moves the gateway itself. */
export interface GatewayRow {
  readonly phase: 'gateway';
  readonly key: string;
  readonly field: string;
  readonly by: string;
  readonly expect: Expectation;
  readonly needs: readonly Need[];
  readonly fast: boolean;
  run(o: { readonly times: Times; readonly folder: string }): Promise<Result>;
}

export type Row = ClientRow | GatewayRow;

export type Outcome = 'passed' | 'failed' | 'skipped' | 'void';

/** What one row showed; a line of the JSON that `docs/faults.md` is made of. */
export interface Result {
  readonly key: string;
  /** `14/20` or `20/20` where the row ran crowded. */
  readonly variant?: string;
  readonly outcome: Outcome;
  /** Why, where it is not `passed`. */
  readonly why?: string;
  readonly clients: number;
  /** From the injection, the latest of the clients; null where it did not happen. */
  readonly noticedMs?: number | null;
  readonly socketReleasedMs?: number | null;
  readonly seatReleasedMs?: number | null;
  readonly boundMs?: number;
  /** Healthy clients that the gateway closed. */
  readonly falselyClosed: number;
  readonly lossless: { readonly checked: number; readonly lost: number; readonly doubled: number; readonly reordered: number; readonly others: number } | null;
  readonly seconds: number;
  readonly notes?: readonly string[];
}
