import { CLEANUP } from './boards/cleanup.mjs';
import { NODE } from './boards/node.mjs';
import { OVERVIEW } from './boards/overview.mjs';

/** The Grafana boards. Path below the repository → text. */
export const boardFiles = () =>
  [OVERVIEW, CLEANUP, NODE].map((one) => [`deploy/grafana/${one.uid.replace('spillway-', '')}.json`, `${JSON.stringify(one, null, 2)}\n`]);
