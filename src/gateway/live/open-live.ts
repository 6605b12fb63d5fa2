import type { Operators } from '../../auth/operators.ts';
import type { WebSocketManagerFactory } from '../../managers/factory.ts';
import type { Services } from '../services.ts';
import { letLook } from './across-nodes.ts';
import { LiveDoor } from './door.ts';
import type { LiveGround } from './ground.ts';
import { ownSourceOf } from './topics.ts';

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
  } & Pick<LiveGround, 'alerts' | 'nodes' | 'drills' | 'history' | 'summary' | 'board'>,
): LiveDoor {
  const { operators, factory, isReadOnly, hasGoldenPath, alerts, nodes, drills, history, summary, board } = o;
  const { perUser, burst, perNode } = options.limits;
  const tiers = Object.keys(options.tiers).slice(0, TIERS_MOST);
  const has = { drills: drills !== null, alerts: alerts !== null, 'golden-path': hasGoldenPath, tiers: true, nodes: factory.cluster !== null };
  const features = (Object.keys(has) as (keyof typeof has)[]).filter((feature) => has[feature]);
  const ground: LiveGround = { factory, clock, telemetry, tiers, alerts, nodes, drills, history, summary, board };
  const stopLooking =
    factory.cluster === null
      ? null
      : letLook(factory.cluster, (topic) => {
          const source = ownSourceOf(topic, ground);
          return 'absent' in source ? null : source;
        });
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
    ground,
    () => stopLooking?.(),
  );
}
