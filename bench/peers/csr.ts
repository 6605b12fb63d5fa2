import type { Peer, PeerOptions } from './peer.ts';
import { socketIoPeer } from './socketio.ts';

/** Socket.IO with connection state recovery: the nearest to what Spillway promises. */
export const csrPeer = (options: PeerOptions): Peer => socketIoPeer(options, true);
