// Tabs: the ordinary client, as anybody's page has it. Their sockets are in this process; with the argument `piped` another process
// has them, as in a browser, where a page may hang while its sockets go on answering pings.

import './end-with-parent.ts';
import { createSpillway, type FollowOptions, type SpillwayClient, type WebSocketConstructor } from '../../client/index.ts';
import { OwnSocket } from './own-socket.ts';
import { PipedSocket } from './piped-socket.ts';
import { Story } from './story.ts';
import { LEAVE, type TabNews, type TabOpening, type TabOrder } from './tab-messages.ts';

interface Tab {
  readonly client: SpillwayClient;
  readonly thread: string;
  follow(from: FollowOptions['from']): void;
  readonly sockets: Set<OwnSocket>;
}
/** How often a tab says how far it is, at most. */
const TELL_EVERY_MS = 100;

const tabs = new Map<number, Tab>();
const isPiped = process.argv.includes('piped');
process.channel?.ref();
process.on('message', (order) => {
  if (order === LEAVE) void leave();
  else obey(order as TabOrder);
});

function obey(order: TabOrder): void {
  if ('open' in order) {
    open(order.tab, order.open);
    return;
  }
  const tab = tabs.get(order.tab);
  if (tab === undefined) return;
  if ('ask' in order) ask(order.tab, tab, order.ask);
  else if ('resume' in order) tab.client.resume().catch(() => {});
  else if ('follow' in order) tab.follow(order.follow);
  else if ('read' in order) for (const socket of tab.sockets) order.read ? socket.resume() : socket.pause();
  else if ('cancel' in order)
    tab.client
      .thread(tab.thread)
      .cancel(order.cancel)
      .catch(() => {});
  else tab.client.close().catch(() => {});
}

function open(number: number, { url, token, thread, label, follows }: TabOpening): void {
  const say = sayer(number);
  const story = new Story();
  const sockets = new Set<OwnSocket>();
  const dialledAt = performance.now();
  let wasSeated = false;
  let timer: NodeJS.Timeout | null = null;
  const tell = (): void => {
    timer = null;
    say({ told: story.told });
  };
  const client = createSpillway({
    url,
    getToken: () => token,
    label,
    storage: 'none',
    webSocket: (isPiped ? PipedSocket : OwnSocket.keptIn(sockets)) as unknown as WebSocketConstructor,
    debug: (event) => {
      if (event.type === 'close') say({ ended: { code: event.code, reason: event.reason } });
    },
  });
  client.on('state', (state) => {
    if (state.name === 'live' && !wasSeated) {
      wasSeated = true;
      say({ seatedAfterMs: performance.now() - dialledAt, port: [...sockets].at(-1)?.port ?? 0 });
    }
    say({ state });
  });
  client.on('notice', (notice) => say({ notice }));
  client.on('gap', () => {
    story.gap();
    tell();
  });
  const tab: Tab = {
    client,
    thread,
    sockets,
    follow(from) {
      client.thread(thread).on(
        (event) => {
          if (story.take(event)) tell();
          else if (timer === null) timer = setTimeout(tell, TELL_EVERY_MS);
        },
        from === undefined ? {} : { from },
      );
    },
  };
  tabs.set(number, tab);
  if (follows !== false) tab.follow('start');
  // Its state says how that ends.
  client.connect().catch(() => {});
}

function ask(number: number, { client, thread }: Tab, { id, text }: { readonly id: string; readonly text: string }): void {
  const say = sayer(number);
  client
    .thread(thread)
    .send(text, { id })
    .accepted.then(
      ({ runId, position }) => say({ accepted: { id, run: runId, position } }),
      (error: unknown) => say({ refused: { id, why: error instanceof Error ? error.message : String(error) } }),
    );
}

async function leave(): Promise<void> {
  await Promise.allSettled([...tabs.values()].map(({ client }) => client.close()));
  process.exit();
}

type Said = TabNews extends infer N ? (N extends { tab: number } ? Omit<N, 'tab'> : never) : never;
const sayer =
  (tab: number) =>
  (news: Said): void =>
    void (process.connected && process.send?.({ tab, ...news }));
