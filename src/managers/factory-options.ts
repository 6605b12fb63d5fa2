import type { PartialOptions } from '../core/options.ts';
import type { Clock } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';
import type { Store } from '../ports/store.ts';
import type { Telemetry } from '../ports/telemetry.ts';

/** What a factory takes. All options of `docs/options.md` with scope `core` may stand beside these. */
export interface FactoryOptions extends PartialOptions {
  /** Where seats and logs are. There is no default here: `memoryStore()` keeps nothing over a restart. */
  readonly store: Store;
  readonly telemetry?: Telemetry;
  readonly clock?: Clock;
  readonly random?: Random;
  /** Name of this node. Default: `gw-` and random characters. */
  readonly node?: string;
}
