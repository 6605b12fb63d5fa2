import type { Options } from '../core/options.ts';
import type { DrillExpectation, DrillName, DrillStep } from '../protocol/drills.ts';

/** What the process that performs a drill is told, once. */
export interface DrillOrder {
  readonly id: string;
  readonly name: DrillName;
  readonly user: string;
  readonly count: number;
  /** Milliseconds since the Unix epoch. */
  readonly startedAt: number;
  /** A token of `user` that outlives the drill; empty for a drill that needs no client of this gateway. */
  readonly token: string;
  readonly gateway: GatewayAddress;
  readonly options: Options;
  /** The SQLite file of the gateway's store; null for another kind of store. */
  readonly storeFile: string | null;
  /** The Redis or Valkey that the gateway shares with others; null for another kind of store. */
  readonly sharedStore: SharedStore | null;
  /** The program `spillway`, for drills with a gateway of their own. */
  readonly program: string;
  /** A folder for it, empty now, gone afterwards. */
  readonly folder: string;
}

/** A store that several gateways share, and how to reach it. */
export interface SharedStore {
  /** As the option `store` says it. */
  readonly store: string;
  readonly prefix: string;
  readonly password: string | null;
  /** Exactly one of these. */
  readonly url?: string;
  readonly nodes?: readonly string[];
  readonly sentinels?: readonly string[];
  readonly sentinelName?: string;
  readonly username?: string;
  readonly tls?: boolean;
}

/** Where a gateway answers. */
export interface GatewayAddress {
  /** Of people's clients, `http://…`. */
  readonly url: string;
  /** Of operators, `http://…`. */
  readonly adminUrl: string;
  readonly adminKey: string;
}

/** What that process tells. */
export type DrillNews =
  | { readonly step: DrillStep }
  /** Where it stands in the list, and how it stands. */
  | { readonly at: number; readonly expectation: DrillExpectation }
  /** A process of the drill began, or has ended. */
  | { readonly born: number }
  | { readonly died: number }
  /** It came to its end: all processes but this one are gone. `failure`: it could not go on. */
  | { readonly over: true; readonly failure: string | null };

/** The only thing that it is told later: end everything now. */
export const END = 'end';
