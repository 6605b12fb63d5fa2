import type { PartialOptions } from '../../src/core/options.ts';

/** How the gateway under test is set up. */
export interface AppConfig {
  readonly timing: 'default' | 'fast';
  readonly options: PartialOptions;
  /** The file of its store; null: none. */
  readonly file: string | null;
  /** The URL of its store, which others may share; null: none, and without a file it is memory. */
  readonly redis: string | null;
  /** Where clients reach it; port 0: any. */
  readonly host: string;
  readonly port: number;
  readonly adminPort: number;
  readonly adminKey: string;
  /** Signs the clients' tokens. */
  readonly secret: string;
  readonly signingKey: string;
  readonly node: string;
  /** Where its agent writes what it is about to hand over. */
  readonly attempted: string;
  /** How long its clients and runs have after SIGTERM. */
  readonly drainMs: number;
}

/** What it is told. Each is answered. */
export type AppCommand =
  /** Computes for so long in the gateway's event loop, as an application may. */
  { readonly do: 'busy'; readonly ms: number } | { readonly do: 'memory' } | { readonly do: 'clocks' };

export type AppSaid =
  | { readonly is: 'listening'; readonly port: number; readonly adminPort: number }
  | { readonly is: 'answer'; readonly id: number; readonly value: unknown };
