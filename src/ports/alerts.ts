import type { AlertStatus } from '../protocol/live.ts';

/** Every alert of a gateway as it stands: what `GET alerts` and the live topic `alerts` tell. */
export interface AlertBoard {
  /** All alerts, the quiet ones too, in the order of their table; as the last evaluation found them, at most 5 s ago. Costs nothing. */
  statuses(): readonly AlertStatus[];
}
