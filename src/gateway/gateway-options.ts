import type { Accounts } from '../auth/accounts.ts';
import type { Authenticator } from '../auth/identity.ts';
import type { PartialOptions } from '../core/options.ts';
import type { Agent, AgentRun } from '../ports/agent.ts';
import type { Clock } from '../ports/clock.ts';
import type { DrillBoard } from '../ports/drills.ts';
import type { Random } from '../ports/random.ts';
import type { Store } from '../ports/store.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import type { AgentYield } from '../protocol/agent-events.ts';
import type { AlertOptions } from '../telemetry/alerting.ts';
import type { ConfigurationEntry } from './configuration.ts';

/** What an application's own check of a request answers: the user, or null for a credential that is no good. */
export type AuthenticateAnswer = {
  readonly userId: string;
  readonly name?: string;
  readonly tier?: string /** Milliseconds since the Unix epoch; default: in an hour. */;
  readonly expiresAt?: number;
} | null;

/** What `createGateway` takes. All options of `docs/options.md` with scope `core` may stand beside these. */
export interface GatewayOptions extends PartialOptions {
  /** Who is asking? Either your own check of a request that carries `Authorization: Bearer …`, or a ready authenticator. */
  readonly authenticate: ((request: Request) => AuthenticateAnswer | Promise<AuthenticateAnswer>) | Authenticator;
  /** Accounts with passwords; gives the log-in paths. Left out: those paths are 404. */
  readonly accounts?: Accounts;
  /** Who answers: an agent, or a plain async generator of `agent-events`. */
  readonly agent: Agent | ((run: AgentRun) => AsyncIterable<AgentYield>);
  /** Default: memory, which keeps nothing over a restart. */
  readonly store?: Store;
  /** 32 bytes that sign resume tokens; the same on every node and over restarts. Default: random, so that clients are admitted anew after
   *  a restart; needed with a store that several nodes share. */
  readonly signingKey?: Uint8Array;
  /** Opens the admin API to whoever has this key: 16 characters or more. Left out: there is no admin API. */
  readonly adminKey?: string;
  /** Refuses everything that an operator could change, whatever their role. Default: false. */
  readonly adminReadOnly?: boolean;
  /** What `GET config` of the admin API tells. Default: the options given in code and their defaults. */
  readonly configuration?: readonly ConfigurationEntry[];
  /** Folder with the built dashboard, served at `/` of the operators' port; left out: no page there. */
  readonly dashboardPages?: string;
  /** Whom alerts are told to, and what they have to know. They are evaluated where there is an admin API. Default: nobody is told. */
  readonly alerts?: AlertOptions;
  /** Drills that operators may start. Left out: there are none. Whoever made the board closes it. */
  readonly drills?: DrillBoard;
  /** Origins of pages that may connect, besides the gateway's own. */
  readonly origins?: readonly string[];
  /** Folder with the built chat page; left out: no page at `/`. */
  readonly chatPages?: string;
  /** Put before every path. Default: empty. */
  readonly prefix?: string;
  /** Name of this node. Default: `gw-` and random characters. */
  readonly node?: string;
  readonly telemetry?: Telemetry;
  readonly clock?: Clock;
  readonly random?: Random;
}
