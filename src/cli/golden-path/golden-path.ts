/** Walks the golden path again and again beside a gateway, and says how it went. It is here and not in the gateway because it uses the
 *  client as people do, and because only the program knows the public port. */

import type { ServerOptions } from '../../core/options.ts';
import type { Clock } from '../../ports/clock.ts';
import type { SpillwayEvents } from '../../ports/events.ts';
import type { Random } from '../../ports/random.ts';
import type { Telemetry } from '../../ports/telemetry.ts';
import type { GoldenAccess } from './access.ts';
import { walk } from './walk.ts';

export interface GoldenPathParts {
  readonly options: Pick<ServerOptions, 'goldenPath' | 'agent'>;
  readonly access: GoldenAccess;
  /** Of the public listener, `http://host:port`. */
  readonly url: string;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  readonly random: Random;
  readonly tell: (event: SpillwayEvents['golden-path-ran']) => void;
}

/** From here on an answer is late, and from there on it is none. The built-in agent answers the golden path without a pause; a model thinks. */
const PATIENCE = { builtIn: { lateMs: 2_000, failedMs: 10_000 }, model: { lateMs: 20_000, failedMs: 60_000 } } as const;

/** Begins to walk every `goldenPath.everyMs`, the first time after one such time. Dispose it before the gateway drains: a walk under way
 *  is broken off and not counted. */
export function startGoldenPath({ options, access, url, telemetry, clock, random, tell }: GoldenPathParts): AsyncDisposable {
  const ended = new AbortController();
  if (access.is === 'off') {
    telemetry.record({ severity: 'INFO', event: 'golden-path-off', message: access.why });
    return { [Symbol.asyncDispose]: async () => {} };
  }
  const { everyMs, agent } = options.goldenPath;
  const isBuiltIn = agent === 'embedded' || options.agent.kind === 'embedded';
  const { lateMs, failedMs } = isBuiltIn ? PATIENCE.builtIn : PATIENCE.model;
  const { logIn } = access;
  let walking: Promise<void> = Promise.resolve();
  let hadFailed = false;
  let cancel = arm(clock.mono() + everyMs);

  /** By the clock, and not behind one another: so many a minute, however long each takes. */
  function arm(at: number): () => void {
    return clock.after(Math.max(0, at - clock.mono()), () => {
      walking = once().finally(() => {
        if (!ended.signal.aborted) cancel = arm(Math.max(at + everyMs, clock.mono()));
      });
    });
  }

  async function once(): Promise<void> {
    const patience = new AbortController();
    const stopWaiting = clock.after(failedMs, () => patience.abort());
    const startedAt = clock.mono();
    const number = (): number => 1 + Math.floor(random.share() * 999);
    const problem = await walk({ url, logIn, canCalculate: isBuiltIn, number, at: clock.wall() }, AbortSignal.any([patience.signal, ended.signal])).then(
      () => null,
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
    stopWaiting();
    if (ended.signal.aborted) return;
    const durationMs = Math.round(clock.mono() - startedAt);
    const result = problem !== null ? 'failed' : durationMs > lateMs ? 'late' : 'ok';
    tell({ result, durationMs, detail: problem ?? (result === 'late' ? `the answer took ${durationMs} ms of ${lateMs}` : '') });
    if (problem !== null && !hadFailed)
      telemetry.record({ severity: 'WARNING', event: 'golden-path-failed', message: `The golden path failed at its ${problem}`, durationMs });
    if (problem === null && hadFailed) telemetry.record({ severity: 'INFO', event: 'golden-path-works', message: 'The golden path works again.', durationMs });
    hadFailed = problem !== null;
  }

  return {
    async [Symbol.asyncDispose]() {
      ended.abort();
      cancel();
      await walking;
    },
  };
}
