/** A run outlives every client, and however it ends, the person sees one end of it. */

import { expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import { check, faultsOf } from '../support/lossless/checker.ts';
import { type Asked, numberedAgent } from '../support/lossless/numbered-agent.ts';
import type { Attempted } from '../support/lossless/records.ts';
import { until } from '../support/peers/kernel.ts';
import { attemptedBy, logOf, Page } from './as-09-scene.ts';

const EVENTS = 40;
const WAYS: Readonly<Record<string, { readonly ending: NonNullable<Asked['ending']>; readonly cancels?: true; readonly end: string }>> = {
  completes: { ending: 'completes', end: 'completed' },
  crashes: { ending: 'throws', end: 'agent_failed' },
  hangs: { ending: 'hangs', end: 'agent_silent' },
  'ends without a word': { ending: 'ends', end: 'completed' },
  'ends twice, and goes on talking': { ending: 'ends-twice', end: 'completed' },
  'is cancelled, and hangs all the same': { ending: 'hangs', cancels: true, end: 'cancelled' },
};

test('nobody is there when it ends, in six ways: whoever comes back sees all of it and its one end', { timeout: 60_000 }, async () => {
  const attempted: Attempted[] = [];
  await using gw = await startGateway({ agent: numberedAgent({ attempted: (line) => attempted.push(line) }), run: { silentMs: 1_500 } });
  await Promise.all(
    Object.entries(WAYS).map(async ([way, { ending, cancels, end }], i) => {
      const user = `person-${i}`;
      const token = await gw.token(user);
      const asker = await Page.open(gw, user, 'gone');
      asker.ask({ count: EVENTS, perSecond: 40, ending });
      await asker.until('ten events', () => asker.applied >= 10);
      const { run } = asker.recorder;
      await asker.recorder.close();
      // Nobody of this person is connected now, and no seat is held.
      if (cancels) expect((await gw.request('POST', `/v1/runs/${run}/cancel`, { user })).status).toBe(202);

      await until('the end in the log', async () => (await logOf(gw.url, token)).ends.length > 0, 10_000, 100);

      await using back = await Page.open(gw, user, 'back', gw.wsUrl, asker);
      await back.hasEnded();
      // What a second end, or words behind the end, would need to show up: one more run.
      back.ask({ count: 3 });
      await back.hasEnded(2);
      const log = await logOf(gw.url, token);
      expect({ way, logged: log.ends, seen: back.ends }).toEqual({ way, logged: [end, 'completed'], seen: [end, 'completed'] });
      const findings = check({ user, logged: log.entries, lines: back.lines, attempted: attemptedBy(user, attempted) });
      expect({ way, faults: faultsOf(findings, ...(cancels ? (['unlogged'] as const) : [])) }).toEqual({ way, faults: [] });
      if (!cancels) expect(findings.checked).toBe(EVENTS + 3);
    }),
  );
});
