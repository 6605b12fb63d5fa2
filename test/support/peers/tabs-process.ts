// Tabs in a process of their own: each is the real SDK with what a page does around it. Is told what to do, and says what happens, in
// JSON lines that name a tab by its number.
import { createInterface } from 'node:readline';
import { createSpillway, type SpillwayClient } from '../../../src/client/index.ts';

interface Told {
  readonly tab: number;
  readonly open?: { readonly url: string; readonly token: string; readonly thread: string };
  /** Its person asks for it again. */
  readonly resume?: true;
  /** Its person closes it. */
  readonly close?: true;
}

const tabs = new Map<number, SpillwayClient>();

function open(tab: number, { url, token, thread }: NonNullable<Told['open']>): void {
  const say = (line: object): void => void process.stdout.write(`${JSON.stringify({ tab, ...line })}\n`);
  const client = createSpillway({
    url,
    getToken: () => token,
    label: thread,
    storage: 'none',
    debug: (event) => {
      if (event.type === 'dial') say({ dials: event.intent });
    },
  });
  tabs.set(tab, client);
  client.on('state', (state) => {
    if (state.name === 'live') say({ state: state.name, manager: state.manager, how: state.resume });
    else if (state.name === 'superseded') say({ state: state.name, code: state.info.code, reason: state.info.reason });
    else say({ state: state.name });
  });
  let applied = 0;
  // The texts of a tab's own thread count from 1: whatever way they came, none is missing and none comes twice.
  client.thread(thread).on(
    ({ data }) => {
      for (const number of data.type === 'text_delta' ? data.text.trim().split(' ').map(Number) : [Number.NaN]) {
        if (number !== applied + 1) say({ hole: `${applied + 1} was expected, ${number} came` });
        applied = number;
      }
      say({ applied });
    },
    { from: 'start' },
  );
  client.connect().catch((error: unknown) => say({ state: 'refused', reason: String(error) }));
}

createInterface(process.stdin)
  .on('line', (line) => {
    const told = JSON.parse(line) as Told;
    if (told.open) open(told.tab, told.open);
    if (told.resume) void tabs.get(told.tab)?.resume();
    if (told.close) void tabs.get(told.tab)?.close();
  })
  // Whoever started it is gone.
  .on('close', () => process.exit(0));
