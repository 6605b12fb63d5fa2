/** Options with their defaults. */

import { SpillwayError } from '../protocol/errors.ts';
import { RETRY_TIMES, type RetryTimes } from './backoff.ts';
import { debugSink } from './debug.ts';
import { webSocketUrl } from './http.ts';
import type { ClientOptions, DebugEvent, WebSocketConstructor } from './types.ts';

const DEFAULTS = {
  connectTimeoutMs: 8_000,
  wakeTimeoutMs: 2_000,
  offlineAfterMs: 15_000,
  parkAfterHiddenMs: 300_000 as number | false,
};

const OUTBOX = { maxMessages: 100, maxBytes: 1_048_576 };

export type Settings = typeof DEFAULTS &
  ClientOptions & { debug(event: DebugEvent): void; readonly webSocket: WebSocketConstructor; readonly retry: RetryTimes; readonly outbox: typeof OUTBOX };

/** Completes options, or throws a `SpillwayError` for those that cannot work. */
export function settingsOf(options: ClientOptions): Settings {
  const settings = {
    ...DEFAULTS,
    webSocket: globalThis.WebSocket,
    ...options,
    debug: debugSink(options.debug),
    retry: { ...RETRY_TIMES, ...options.retry },
    outbox: { ...OUTBOX, ...options.outbox },
  };
  const { url, webSocket } = settings;
  if (typeof webSocket !== 'function')
    throw new SpillwayError('SPILLWAY_BAD_OPTION', `Expected \`webSocket\` to be given where there is no global one, got ${JSON.stringify(webSocket)}.`);
  // Without a page a relative address is refused when it is dialled: a server that renders a page makes clients that never connect.
  if (typeof url !== 'function' && (globalThis.location || !String(url).startsWith('/'))) webSocketUrl(url);
  return settings;
}
