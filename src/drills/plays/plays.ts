import type { DrillName } from '../../protocol/drills.ts';
import type { Stage } from '../stage.ts';
import { autoPongProxy } from './auto-pong-proxy.ts';
import { crash } from './crash.ts';
import { drain } from './drain.ts';
import { frozenTabs } from './frozen-tabs.ts';
import { leakyTabs } from './leaky-tabs.ts';
import { slowReader } from './slow-reader.ts';
import { storeStall } from './store-stall.ts';
import { suspended } from './suspended.ts';

/** What each drill does. A play that returns has come to its end; one that throws could not go on. */
export const PLAYS: Readonly<Record<DrillName, (stage: Stage) => Promise<void>>> = {
  'frozen-tabs': frozenTabs,
  suspended,
  'auto-pong-proxy': autoPongProxy,
  'slow-reader': slowReader,
  'leaky-tabs': leakyTabs,
  crash,
  'store-stall': storeStall,
  drain,
};
