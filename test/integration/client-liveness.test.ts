/** Clients are zombies too: what the client does when nothing is said, and when it wakes up. */

import { createServer } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { createSpillway } from '../../src/client/index.ts';
import { listenAnywhere } from '../support/ports.ts';
import { Peer, type PeerSocket, until } from './client-peer.ts';
import { wireTo } from './client-wire.ts';
