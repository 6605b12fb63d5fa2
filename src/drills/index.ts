/** Drills: real trouble on a button. The command-line program makes the board and hands it to the gateway. */

export type { DrillBoard } from '../ports/drills.ts';
export { createDrillBoard } from './board.ts';
export { type DrillGround, type DrillSurroundings, drillGround } from './ground.ts';
export type { GatewayAddress } from './order.ts';
