import type { GatewayRow } from '../row.ts';
import { CLOCKS } from './gateway-clock.ts';
import { DEATHS } from './gateway-death.ts';
import { SHARED } from './gateway-shared.ts';
import { STALLS } from './gateway-stall.ts';
import { STORMS } from './gateway-storm.ts';

/** Rows in which the gateway itself is what breaks, or all clients at once. They follow one by one. */
export const GATEWAY_ROWS: readonly GatewayRow[] = [...STALLS, ...DEATHS, ...SHARED, ...STORMS, ...CLOCKS];
