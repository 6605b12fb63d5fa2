import type { Context } from './context.ts';

/** Calls `act` every `ms` until the returned function is called. One that throws is reported and called again. */
export function every({ clock, telemetry }: Pick<Context, 'clock' | 'telemetry'>, ms: number, act: () => void): () => void {
  let cancel = (): void => {};
  let stopped = false;
  const arm = (): void => {
    if (stopped) return;
    cancel = clock.after(ms, () => {
      try {
        act();
      } catch (error) {
        telemetry.record({ severity: 'ERROR', event: 'watch-failed', message: error instanceof Error ? error.message : String(error) });
      }
      arm();
    });
  };
  arm();
  return () => {
    stopped = true;
    cancel();
  };
}
