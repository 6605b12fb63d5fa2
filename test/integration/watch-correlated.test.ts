/** Many pages of many users that fall silent together: the network or the gateway is the likelier culprit, once. */

import { expect, test } from 'vitest';
import { bareNode, eventually, type Session } from '../support/bare-node.ts';

const USERS = ['ada', 'bob', 'cleo', 'dan'];

const managerOf = ({ admission }: Session) => {
  if (admission.kind !== 'seated') throw new Error(admission.kind);
  return admission.manager;
};
const verdictOf = (session: Session): string => {
  const { is, reason } = managerOf(session).verdict;
  return `${is} (${reason})`;
};

test('eight pages of four users that freeze together are voided once, and found by their second silence', async () => {
  await using node = await bareNode({ health: { pingEveryMs: 200, freshMs: 1_000, appDeadMs: 6_000, appDeadFullMs: 6_000 } });
  const sessions: Session[] = [];
  for (const user of USERS) for (let n = 0; n < 2; n++) sessions.push(await node.connect(user));
  for (const { client } of sessions) client.behave().sendFrame({ type: 'subscribe', sub: 1, thread: 't', from: 'start' });
  const publish = () => Promise.all(USERS.map((user) => node.factory.publish(user as never, 't' as never, { type: 'agent_started', agent_name: 'test' })));
  await publish();
  await eventually('their acks', () => sessions.every((s) => managerOf(s).acknowledged('t' as never) !== null));
  await eventually('a measured round trip', () => sessions.every((s) => managerOf(s).evidence.rttvarMs > 0));
  for (const { client } of sessions) client.freeze();
  // Owed an ack, all are asked at once.
  await publish();
  const frozenAt = performance.now();

  await eventually('the first silence of all', () => sessions.every((s) => managerOf(s).evidence.probe?.standing === 'voided'));
  // Whose patience ended before it could be seen that it was not alone was counted as missed then; it is voided all the same.
  const { answered, missed: early, voided } = node.factory.probes;
  expect([answered, early + voided]).toEqual([0, 8]);
  expect(early).toBeLessThan(5);
  expect(sessions.map(verdictOf)).toEqual(sessions.map(() => 'unknown (correlated)'));
  const voidedAt = performance.now();
  await eventually('their second silence', () => node.factory.probes.missed === early + 8);
  expect(performance.now() - voidedAt).toBeLessThan(4_000);
  expect(sessions.map(verdictOf)).toEqual(sessions.map(() => 'suspect (ack-stalled)'));
  await eventually('their proof', () => node.factory.getFactoryStatus().zombiesDetected === 8);
  expect(performance.now() - frozenAt).toBeLessThan(10_000);
  expect(node.factory.probes.voided).toBe(voided);
}, 30_000);

test('twenty frozen tabs of one user are no correlation: they are suspected at once', async () => {
  await using node = await bareNode({ timing: 'fast' });
  const frozen: Session[] = [];
  for (let n = 0; n < 20; n++) frozen.push(await node.connect('ada'));
  const others: Session[] = [];
  for (const user of ['bob', 'cleo', 'dan']) for (let n = 0; n < 2; n++) others.push(await node.connect(user));
  for (const { client } of others) client.behave();
  await eventually('their suspicion', () => frozen.every((s) => managerOf(s).verdict.is !== 'healthy' && managerOf(s).verdict.is !== 'idle'));
  expect(frozen.map(verdictOf)).not.toContain('unknown (correlated)');
  expect(node.factory.probes.voided).toBe(0);
});
