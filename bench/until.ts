const LOOK_MS = 50;
const DEADLINE_MS = 30_000;

/** Resolves when `look` says so. Rejects after 30 s. */
export async function until(what: string, look: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  while (!(await look())) {
    if (performance.now() > deadline) throw new Error(`Expected ${what} within ${DEADLINE_MS} ms.`);
    await pause(LOOK_MS);
  }
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
