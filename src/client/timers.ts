/** Timers that never keep a Node process alive. */

/** Runs `action` once after `delayMs` and returns how to prevent it. */
export function later(delayMs: number, action: () => void): () => void {
  const timer: unknown = setTimeout(action, delayMs);
  unref(timer);
  return () => clearTimeout(timer as number);
}

/** Runs `action` every `everyMs` and returns how to stop it. */
export function every(everyMs: number, action: () => void): () => void {
  const timer: unknown = setInterval(action, everyMs);
  unref(timer);
  return () => clearInterval(timer as number);
}

/** Node's timers are objects that can be told not to hold the process; elsewhere a timer is a number. */
function unref(timer: unknown): void {
  (timer as { unref?: () => void }).unref?.();
}

/** Milliseconds of a clock that never runs backwards. */
export const monotonicMs = (): number => performance.now();

export interface Deferred<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(error: unknown): void;
}

/** A promise whose rejection may go unseen: whoever makes one tells of the failure in another way too. */
export function deferred<T>(): Deferred<T> {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  promise.catch(() => {});
  return { promise, resolve, reject };
}
