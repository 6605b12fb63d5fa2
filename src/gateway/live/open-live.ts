import type { Operators } from '../../auth/operators.ts';
import type { WebSocketManagerFactory } from '../../managers/factory.ts';
import type { Services } from '../services.ts';
import { LiveDoor } from './door.ts';
import type { LiveGround } from './ground.ts';

/** Tiers that have a number of their own in the map. */
const TIERS_MOST = 4;

/** The operators' live connection of a gateway. */
export function openLive(
  { version, options, clock, telemetry, prefix }: Services,
  o: {
    readonly operators: Operators;
    readonly factory: WebSocketManagerFactory;
    readonly isReadOnly: boolean;
    /** Somebody walks the golden path through this gateway. */
    readonly hasGoldenPath: boolean;
  } & Pick<LiveGround, 'alerts' | 'nodes' | 'drills' | 'history' | 'summary'>,
): LiveDoor {
  const { operators, factory, isReadOnly, hasGoldenPath, alerts, nodes, drills, history, summary } = o;
  const { perUser, burst, perNode } = options.limits;
  const tiers = Object.keys(options.tiers).slice(0, TIERS_MOST);
  const has = { drills: drills !== null, alerts: alerts !== null, 'golden-path': hasGoldenPath, tiers: true };
  const features = (Object.keys(has) as (keyof typeof has)[]).filter((feature) => has[feature]);
  return new LiveDoor(
    {
      prefix,
      options,
      operators,
      greeting: () => ({
        node: factory.node,
        version,
        at: clock.wall(),
        readOnly: isReadOnly,
        features,
        limits: { perUser, burst: burst.perUser, perNode },
        tiers,
      }),
    },
    { factory, clock, telemetry, tiers, alerts, nodes, drills, history, summary },
  );
}
