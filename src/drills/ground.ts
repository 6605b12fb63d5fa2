import type { Options } from '../core/options.ts';
import type { DrillName } from '../protocol/drills.ts';
import { SpillwayError } from '../protocol/errors.ts';
import type { DrillOrder, GatewayAddress, SharedStore } from './order.ts';

/** What the program that runs a gateway lends to its drills. */
export interface DrillSurroundings {
  readonly gateway: GatewayAddress;
  readonly options: Options;
  /** As the option `store` says it. */
  readonly store: string;
  /** How to reach it, where several gateways share it. */
  readonly sharedStore: SharedStore | null;
  /** The program `spillway`: its main file. */
  readonly program: string;
  /** Makes an access token for a user of a drill; null where somebody else makes the tokens. */
  readonly mint: ((user: string, expiresAt: number) => Promise<string>) | null;
}

/** Where drills happen. */
export interface DrillGround {
  readonly options: Options;
  /** Its gateway shares its store with others. */
  readonly isShared: boolean;
  /** Completes an order. `tokenUntil`: milliseconds since the Unix epoch.
   *  @throws SpillwayError `SPILLWAY_REFUSED` for a drill that cannot be run here. */
  order(what: Pick<DrillOrder, 'id' | 'name' | 'user' | 'count' | 'startedAt'>, tokenUntil: number): Promise<Omit<DrillOrder, 'folder'>>;
}

/** Drills that need no client of this gateway: they bring one of their own. */
const WITH_OWN_GATEWAY: ReadonlySet<DrillName> = new Set(['crash', 'store-stall', 'drain']);

/** The ground beside a gateway that the program `spillway` runs. */
export function drillGround({ gateway, options, store, sharedStore, program, mint }: DrillSurroundings): DrillGround {
  const storeFile = store.startsWith('sqlite:') ? store.slice('sqlite:'.length) : null;
  return {
    options,
    isShared: sharedStore !== null,
    async order(what, tokenUntil) {
      const hasOwn = WITH_OWN_GATEWAY.has(what.name);
      if (mint === null && !hasOwn) {
        throw new SpillwayError(
          'SPILLWAY_REFUSED',
          `The clients of "${what.name}" need access tokens, and here only the issuer of \`auth.jwksUrl\` can make them. Run it on a gateway with \`auth.jwtSecret\` or \`spillway dev\`; ${[...WITH_OWN_GATEWAY].join(', ')} bring a gateway of their own.`,
        );
      }
      const token = mint === null ? '' : await mint(what.user, tokenUntil);
      return { ...what, token, gateway, options, storeFile, sharedStore, program };
    },
  };
}
