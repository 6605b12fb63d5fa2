/** A page opened a conversation and saw nothing, for ever: the process that ran before had asked for retention while it died, and the
 *  log was empty where the new one believed it to begin. It read, got nothing, and read again. */

import { expect, it } from 'vitest';
import type { ServerFrame } from '../../src/protocol/frames.ts';
import type { ThreadId } from '../../src/protocol/ids.ts';
import { ADA, fill, inMemory } from '../simulator/model-support.ts';

const TALK = 'talk' as ThreadId;

it('a log that somebody else has trimmed is a gap, not silence', async () => {
  const rig = await inMemory({});
  const [page] = await fill(rig, 1);
  if (!page) throw new Error('Expected a seated page.');
  const publish = async (text: string): Promise<void> => {
    const published = rig.factory.publish(ADA, TALK, { type: 'text_delta', text });
    rig.clock.touch();
    await rig.clock.pass(20);
    await published;
  };
  for (let i = 1; i <= 5; i++) await publish(`old ${i}`);
  // Not through this factory: as another process would.
  const trimmed = rig.store.log.trim({ keepMs: 0, streamBytes: 0, streams: 10 });
  await rig.clock.pass(0);
  expect(await trimmed).toEqual([{ key: { user: ADA, thread: TALK }, first: 6 }]);

  const heard: ServerFrame[] = [];
  page.heard = (frame) => heard.push(frame);
  page.say({ type: 'subscribe', sub: 2, thread: TALK, from: 'start' });
  await rig.clock.pass(1_000);
  const story = (): string[] =>
    heard.filter((frame) => 'sub' in frame && frame.sub === 2).map((frame) => (frame.type === 'gap' ? `gap ${frame.from}-${frame.to}` : frame.type));
  expect(story()).toEqual(['subscribed', 'gap 1-5', 'replayed']);
  await publish('new');
  expect(story().slice(3)).toEqual(['event']);
  await rig.close();
});
