/** Ctrl-C reaches a program several times at once: from the terminal, and again from `npm`, which passes it on. */
const SAME_PRESS_MS = 300;

const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const;

/** Resolves with the first SIGINT or SIGTERM. A second one ends the process at once; what was acknowledged is in the log anyway. */
export function stopAsked(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let firstAt: number | null = null;
    for (const [signal, status] of Object.entries(SIGNALS) as [keyof typeof SIGNALS, number][]) {
      process.on(signal, () => {
        const now = performance.now();
        if (firstAt !== null && now - firstAt > SAME_PRESS_MS) process.exit(status);
        firstAt ??= now;
        resolve(signal);
      });
    }
  });
}
