import type { ClientOptions } from '../../../src/client/index.ts';

/** The client's own times, which `fast` divides like the gateway's. */
export const clientSettings = (divisor: number): Pick<ClientOptions, 'connectTimeoutMs' | 'wakeTimeoutMs' | 'retry'> => ({
  connectTimeoutMs: 8_000 / Math.min(divisor, 4),
  wakeTimeoutMs: 2_000 / divisor,
  retry: { minDelayMs: 250 / divisor, maxDelayMs: 15_000 / divisor },
});
