/** What the typed map of events tells, in a sentence each, and the channel on which each is published. docs/events.md is made from it. */

import type { EventName } from '../ports/events.ts';

/** Channels of `node:diagnostics_channel`, each named `spillway:` and this. */
export const CHANNELS = ['admission', 'cleanup', 'evidence', 'resume', 'transport'] as const;
export type ChannelName = (typeof CHANNELS)[number];

interface EventEntry {
  readonly channel: ChannelName | null;
  readonly tells: string;
}

const on = (channel: ChannelName | null, tells: string): EventEntry => ({ channel, tells });

export const EVENTS: Readonly<Record<EventName, EventEntry>> = {
  'admission-ended': on('admission', 'How an admission ended, which levels it took, how many were asked because of it, and how long it took.'),
  'queue-entered': on('admission', 'A person’s attempt found a place in a queue, of its user or of the full node.'),
  'queue-left': on('admission', 'It does not wait any more: seated, sent away with a time, or gone by itself.'),
  lockout: on('admission', 'A promise of ours to a person was broken. Must never happen.'),
  'burst-changed': on('admission', 'A burst lease began, turned into debt, or was repaid.'),
  'manager-seated': on('admission', 'A manager took its seat: how, and whether it came back.'),
  'verdict-changed': on('evidence', 'A manager’s verdict became another one, and on which evidence.'),
  'manager-ended': on('cleanup', 'A seat was given back, and why.'),
  'zombie-found': on('evidence', 'A manager was found dead, and how long after its last sign of life.'),
  'probe-ended': on('evidence', 'A question to an application has its end.'),
  'cleanup-finished': on('cleanup', 'The record of a cleanup pass: levels, who went on which evidence, who stayed and why.'),
  'transport-quarantined': on('transport', 'A socket that was terminated does not close.'),
  'eviction-regret': on('cleanup', 'A sign of life was read after its manager had been evicted for want of it.'),
  'mismatch-found': on('cleanup', 'Registry, index, seats of the store and sockets disagreed in two looks.'),
  'transport-opened': on('transport', 'A transport was accepted.'),
  'transport-closed': on('transport', 'A transport has closed, with its close code and reason.'),
  resumed: on('resume', 'A client came back, and to what.'),
  'gap-told': on('resume', 'Positions are not in the log any more: the client was offered a snapshot.'),
  'notice-shown': on(null, 'A notice was sent to a person’s session.'),
  acknowledged: on('evidence', 'A client acknowledged, and how long after the write.'),
  'run-started': on(null, 'An agent began to answer.'),
  'run-ended': on(null, 'An answer has its end: how, how long it took, and when its first event came.'),
  'store-lost': on(null, 'The store could not be asked; who has a seat keeps it, and whoever comes is served by this node alone or tries again by itself.'),
  'store-back': on(null, 'The store answers again.'),
  'node-died': on(null, 'Another node that shares the store is gone; whether it had moved its clients away before.'),
  'drain-started': on(null, 'This node moves its clients away.'),
  'drain-finished': on(null, 'Nobody is left on this node.'),
  'attention-lost': on(null, 'Our event loop did not run for so long.'),
  'store-asked': on(null, 'The store answered or failed, which method, and how long it took.'),
  'lease-renewed': on(null, 'The seats of this node were renewed, or were not.'),
  'golden-path-ran': on(null, 'The synthetic client logged in, asked and checked the answer.'),
  'operator-acted': on(null, 'What an operator did or was refused, to whom, and why.'),
  'alert-changed': on(null, 'An alert began, is pending, or ended.'),
};
