import type { PartialOptions } from '../../src/core/options.ts';

/** How one node of a cluster under test is set up. */
export interface NodeConfig {
  /** Folder of the built package that it runs. */
  readonly build: string;
  readonly name: string;
  /** It runs as its next version might. */
  readonly isNext: boolean;
  readonly timing: 'default' | 'fast';
  readonly options: PartialOptions;
  /** `redis://…`, `sqlite:FILE` or `memory`. */
  readonly store: string;
  /** 0: any. */
  readonly port: number;
  readonly adminPort: number;
  readonly adminKey: string;
  /** Signs the clients' tokens. */
  readonly secret: string;
  /** Signs resume tokens: the same on every node. */
  readonly signingKey: string;
  /** How long its clients and runs have after SIGTERM. */
  readonly drainMs: number;
}

export type NodeSaid = { readonly is: 'listening'; readonly port: number; readonly adminPort: number };
