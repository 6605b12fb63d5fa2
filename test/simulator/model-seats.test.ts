/** Any history of one person's pages on the real factory and the real stores. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { PartialOptions } from '../../src/core/options.ts';
import { memoryStore } from '../../src/stores/memory.ts';
import { sqliteStore } from '../../src/stores/sqlite/store.ts';
import { Arrive, Clean, ComeBack, Free, Freeze, HangUp, Leave, type Model, Pass, Pin, Publish } from './model-commands.ts';
import { ModelRig, type RigOptions } from './model-rig.ts';
import { ADA, seatLimits } from './model-support.ts';

const WAIT_MS = 1_000;
const SOFT = 3;
const OPTIONS: PartialOptions = {
  timing: 'fast',
  limits: { perUser: SOFT, burst: { perUser: SOFT + 2, forMs: 2_000, coolDownMs: 5_000, debtMaxMs: 4_000 } },
  queue: { places: 3, waitMs: WAIT_MS, promiseMs: 500 },
  resume: { windowMs: 3_000 },
};

const n = fc.nat(20);
const intent = fc.constantFrom('user' as const, 'user' as const, 'auto' as const);
const histories = (maxCommands: number) =>
  fc.commands(
    [
      fc.tuple(intent, fc.constantFrom(false, false, true)).map(([i, dead]) => new Arrive(i, dead)),
      fc.tuple(intent, fc.constantFrom(false, false, true)).map(([i, dead]) => new Arrive(i, dead)),
      fc.oneof(fc.nat(20), fc.nat(400), fc.nat(2_500), fc.nat(8_000)).map((ms) => new Pass(ms)),
      fc.tuple(n, fc.constantFrom('left' as const, 'reset' as const)).map(([i, how]) => new Leave(i, how)),
      fc.tuple(n, intent).map(([i, how]) => new ComeBack(i, how)),
      n.map((i) => new HangUp(i)),
      n.map((i) => new Freeze(i)),
      n.map((i) => new Free(i)),
      n.map((i) => new Pin(i)),
      fc.constant(new Publish()),
      fc.constantFrom('conservative' as const, 'moderate' as const, 'aggressive' as const).map((level) => new Clean(level)),
    ],
    { maxCommands, size: 'max' },
  );

async function play(o: RigOptions, commands: Iterable<fc.AsyncCommand<Model, ModelRig>>): Promise<void> {
  const rig = await ModelRig.make(o);
  const check = (r: ModelRig): void => expect([...r.ledger.problems, ...r.problems]).toEqual([]);
  await fc.asyncModelRun(() => ({ model: { user: ADA, waitMs: WAIT_MS, check }, real: rig }), commands);
  // Nobody asks for anything any more: whoever waits is served, and all books agree.
  await rig.clock.pass(WAIT_MS + 1_000);
  await rig.compareAtRest(ADA);
  check(rig);
  expect(rig.attempts.filter((a) => a.state === 'deciding' || a.state === 'queued')).toEqual([]);
  const facts = await rig.store.seats.facts(ADA, seatLimits(rig));
  expect(facts.tickets).toEqual([]);
  await rig.close();
}

it.each(['burst-first', 'force-first'] as const)(
  'I1, I2, I3, I12, I16, I18, I20 over any history, in memory, %s',
  async (overflowPolicy) => {
    const options: PartialOptions = { ...OPTIONS, limits: { ...OPTIONS.limits, overflowPolicy } };
    await fc.assert(
      fc.asyncProperty(histories(60), async (commands) => {
        await play({ options, store: (clock, random) => memoryStore({ clock, random }) }, commands);
      }),
      { numRuns: 150 },
    );
  },
  60_000,
);

it('the same with the log in a file', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'spillway-model-'));
  try {
    let files = 0;
    await fc.assert(
      fc.asyncProperty(histories(40), async (commands) => {
        const file = join(folder, `${++files}.sqlite`);
        await play({ options: OPTIONS, store: (clock, random) => sqliteStore({ file, clock, random }) }, commands);
      }),
      { numRuns: 12 },
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}, 60_000);
