/** The only source of time. Doubles of it are implementations, as a virtual clock in a simulation is. */
export interface Clock {
  /** Monotonic milliseconds, fractions allowed. Never steps; its zero means nothing. */
  mono(): number;
  /** Milliseconds since the Unix epoch. For display and for what outlives the process; never compared with a deadline. */
  wall(): number;
  /** Calls back once, `delayMs` from now or later, never earlier. The timer does not keep a process alive. */
  after(delayMs: number, callback: () => void): () => void;
  /** Calls back in a later turn of the event loop, after reads that are pending now. */
  soon(callback: () => void): void;
}

export const systemClock: Clock = {
  mono: () => performance.now(),
  wall: () => Date.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    timer.unref();
    return () => {
      // Node keeps the list of a cancelled timer until it would have been due, unless the timer keeps the process alive.
      timer.ref();
      clearTimeout(timer);
    };
  },
  soon(callback) {
    setImmediate(callback);
  },
};
