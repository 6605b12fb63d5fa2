/// <reference lib="dom" />
import type { createSpillway as Create, ThreadEvent } from '../../../src/client/index.ts';
import type { TabSaid } from './browser-said.ts';

/** What a tab's page is made of. */
export interface TabParts {
  readonly sdk: { readonly createSpillway: typeof Create };
  /** Tells the maker, outside of the browser. */
  readonly tell: (said: string) => void;
  readonly thread: string;
  readonly label: string;
}

/** The page of a tab under test: a client that tells what it applies and acknowledges, in the order in which it happens. Its text is
 *  served as it stands, so it uses nothing from around it. */
export async function tabPage({ sdk, tell, thread, label }: TabParts): Promise<void> {
  const TICK_MS = 500;
  const say = (said: TabSaid): void => tell(JSON.stringify(said));
  setInterval(() => say({ is: 'tick', visibility: document.visibilityState }), TICK_MS);

  /** First offsets of the ranges that arrived, by their last. */
  const arrived = new Map<number, number>();

  class LoggingWebSocket extends WebSocket {
    constructor(url: string, protocols?: string | string[]) {
      super(url, protocols);
      this.addEventListener('message', ({ data }) => {
        const frame = JSON.parse(String(data)) as { type: string; from?: number; offset: number };
        if (frame.type === 'event') arrived.set(frame.offset, frame.from ?? frame.offset);
      });
    }

    override send(text: string): void {
      if (text.startsWith('{"type":"ack"')) {
        const { sub, offset } = JSON.parse(text) as { sub: number; offset: number };
        say({ is: 'ack', sub, offset });
      }
      super.send(text);
    }
  }

  const client = sdk.createSpillway({
    url: '/v1/ws',
    getToken: async () => (await fetch('/token')).text(),
    webSocket: LoggingWebSocket,
    parkAfterHiddenMs: false,
    label,
    debug: (event) => {
      if (event.type === 'dial') say({ is: 'dial', intent: event.intent });
      else if (event.type === 'close') say({ is: 'close', code: event.code, reason: event.reason });
    },
  });
  client.on('state', (state) => {
    say({ is: 'state', name: state.name, ...(state.name === 'live' ? { manager: state.manager, how: state.resume } : {}) });
  });
  client.on('gap', ({ position, from, to, reason, snapshot }) => {
    say({ is: 'gap', epoch: position.epoch, from, to, reason, snapshot: snapshot === null ? null : { to: position.offset, messages: snapshot.messages } });
  });
  client.on('error', (error) => say({ is: 'error', text: String(error) }));
  client.thread(thread).on<ThreadEvent>(
    ({ position: { epoch, offset }, data }) => {
      say({ is: 'applied', epoch, from: arrived.get(offset) ?? offset, to: offset, data });
      arrived.delete(offset);
    },
    { from: 'start' },
  );
  Object.assign(globalThis, { leave: () => client.close() });
  await client.connect();
}
