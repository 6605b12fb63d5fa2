import { fileURLToPath } from 'node:url';
import { createAccessTokens } from '../auth/access-tokens.ts';
import type { ServerOptions } from '../core/options.ts';
import { libraryOptions } from '../core/resolve-options.ts';
import { createDrillBoard, type DrillBoard, type DrillSurroundings, drillGround } from '../drills/index.ts';
import type { UserId } from '../protocol/ids.ts';
import type { Ground } from './ground.ts';
import { issuerToken } from './issuer-token.ts';
import { urlOf } from './listen-address.ts';
import type { Open } from './run-server.ts';
import { storeAddress } from './store-address.ts';

const PROGRAM = fileURLToPath(new URL('./main.js', import.meta.url));
/** Who is in a drill takes no place from those who pay. */
const TIER = 'free';

/** The drills of this gateway; null where they are switched off. */
export function drillBoardOf(options: ServerOptions, ground: Ground, open: Pick<Open, 'public' | 'admin'>): DrillBoard | null {
  if (!options.drills) return null;
  return createDrillBoard(
    drillGround({
      gateway: { url: urlOf(open.public), adminUrl: urlOf(open.admin), adminKey: ground.adminKey.key },
      options: libraryOptions(options),
      store: options.store,
      sharedStore: sharedStoreOf(options),
      program: PROGRAM,
      mint: minter(options, ground),
    }),
  );
}

/** Null where no other gateway can share it. */
function sharedStoreOf(options: ServerOptions): DrillSurroundings['sharedStore'] {
  const address = storeAddress(options);
  if (address?.is !== 'redis') return null;
  const { prefix, password = null, ...where } = address.options;
  return { ...where, store: options.store, prefix, password };
}

/** Who makes tokens of this gateway: itself, whoever knows the shared secret, or an issuer that cannot be asked for one. */
function minter({ auth }: ServerOptions, { accounts, signingKey }: Ground): DrillSurroundings['mint'] {
  if (accounts !== null) {
    const tokens = createAccessTokens(signingKey);
    return (user, expiresAt) => tokens.mint({ user: user as UserId, name: user, tier: TIER, expiresAt, family: null });
  }
  const { jwtSecret } = auth;
  return jwtSecret === null ? null : (user, expiresAt) => issuerToken(auth, jwtSecret, user, TIER, expiresAt);
}
