import type { FaultRow } from '../fault-row.ts';
import { clockStepped } from './clock-stepped.ts';
import { cutOff } from './cut-off.ts';
import { emptied } from './emptied.ts';
import { failedOver } from './failed-over.ts';
import { restarted } from './restarted.ts';
import { rolled } from './rolled.ts';
import { stopped } from './stopped.ts';
import { twoVersions } from './two-versions.ts';

export const FAULT_ROWS: readonly FaultRow[] = [stopped, restarted, emptied, failedOver, cutOff, clockStepped, rolled, twoVersions];
