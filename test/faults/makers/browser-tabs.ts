import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { nowMs } from '../../support/lab/time.ts';
import { numberedEvents, numberedParts } from '../../support/lossless/numbered.ts';
import { fileSink, type Sink } from '../../support/lossless/sink.ts';
import { until } from '../../support/peers/kernel.ts';
import { need } from '../../support/tools.ts';
import type { MakeOptions, Target } from '../row.ts';
import { Chromium } from './browser-devtools.ts';
import type { TabSaid } from './browser-said.ts';
import { startTabServer, type TabServer } from './browser-server.ts';

const SEATED_WITHIN_MS = 60_000;
const LEAVES_WITHIN_MS = 2_000;

interface Shared {
  readonly starting: Promise<Chromium>;
  users: number;
}
const browsers = new WeakMap<Target, Map<string, Shared>>();

/** The browser of this name; all that ask for it share it, and the last one that gives it back ends it. */
function borrow(target: Target, name: string): { readonly starting: Promise<Chromium>; giveBack(): Promise<void> } {
  let named = browsers.get(target);
  if (named === undefined) {
    named = new Map();
    browsers.set(target, named);
  }
  let shared = named.get(name);
  if (shared === undefined) {
    const { path, missing } = need('chromium');
    if (path === null) throw new Error(missing);
    shared = { starting: Chromium.start(path, target.folder), users: 0 };
    named.set(name, shared);
  }
  const mine = shared;
  mine.users += 1;
  return {
    starting: mine.starting,
    async giveBack() {
      mine.users -= 1;
      if (mine.users > 0) return;
      browsers.get(target)?.delete(name);
      await (await mine.starting)[Symbol.asyncDispose]();
    },
  };
}

interface Place {
  readonly browser: Chromium;
  readonly context: string;
  readonly target: string;
  readonly session: string;
  readonly server: TabServer;
  readonly cleanUp: AsyncDisposableStack;
}

/** A tab with a recording client in a window of its own, in a profile of its own. */
export class Tab implements AsyncDisposable {
  readonly browser: Chromium;
  readonly session: string;
  readonly file: string;
  /** Of its current or last session; null before the first. */
  manager: string | null = null;
  state = 'connecting';
  visibility = 'visible';
  /** Whether its debugger holds it. */
  isPaused = false;
  /** Of every tick so far, by our clock. */
  readonly ticks: number[] = [];
  readonly #place: Place;
  readonly #sink: Sink;
  readonly #life: number;
  #neighbour = '';
  #isGone = false;

  private constructor(place: Place, file: string) {
    this.browser = place.browser;
    this.session = place.session;
    this.file = file;
    this.#place = place;
    this.#sink = fileSink(file);
    this.#life = this.#sink.saved.life + 1;
    this.browser.listen(this.session, (method, params) => {
      if (method === 'Runtime.bindingCalled') this.#hear(JSON.parse(params.payload as string) as TabSaid);
      else if (method === 'Debugger.paused') this.isPaused = true;
      else if (method === 'Debugger.resumed') this.isPaused = false;
    });
  }

  /** Resolves when its client is seated. `browser` names the Chromium that it shares. */
  static async open(o: MakeOptions, browser: string): Promise<Tab> {
    const cleanUp = new AsyncDisposableStack();
    try {
      const server = cleanUp.use(
        await startTabServer({ gateway: o.target.url, thread: o.thread, label: `Tab ${o.index}`, token: () => o.target.token(o.user) }),
      );
      const { starting, giveBack } = borrow(o.target, browser);
      cleanUp.defer(giveBack);
      const chromium = await starting;
      const { browserContextId: context } = await chromium.send('Target.createBrowserContext');
      cleanUp.defer(async () => {
        // It may have ended already, and everything in it.
        await chromium.send('Target.disposeBrowserContext', { browserContextId: context }).catch(() => {});
      });
      const { targetId: target } = await chromium.send('Target.createTarget', { url: 'about:blank', browserContextId: context, newWindow: true });
      const { sessionId: session } = await chromium.send('Target.attachToTarget', { targetId: target, flatten: true });
      const tab = new Tab({ browser: chromium, context, target, session, server, cleanUp }, join(o.target.folder, `${o.user}-${o.thread}.lines`));
      cleanUp.defer(() => tab.#sink.close());
      await tab.send('Runtime.enable');
      await tab.send('Page.enable');
      await tab.send('Runtime.addBinding', { name: 'tell' });
      await tab.send('Page.navigate', { url: server.url });
      await until(`the tab of ${o.thread} to be seated`, () => tab.state === 'live', SEATED_WITHIN_MS);
      return tab;
    } catch (error) {
      await cleanUp.disposeAsync();
      throw error;
    }
  }

  // biome-ignore lint/suspicious/noExplicitAny: whoever asks says itself what it expects.
  send(method: string, params: object = {}): Promise<any> {
    return this.browser.send(method, params, this.session);
  }

  get sockets(): ReturnType<TabServer['remotes']> {
    return this.#place.server.remotes();
  }

  get pongs(): number {
    return this.#place.server.pongs();
  }

  /** Milliseconds since its timer fired last. */
  get silentMs(): number {
    return nowMs() - (this.ticks.at(-1) ?? 0);
  }

  /** Opens another tab in its window, for `hide`, and stays in front. */
  async openNeighbour(): Promise<void> {
    const { targetId } = await this.browser.send('Target.createTarget', { url: 'about:blank', browserContextId: this.#place.context });
    this.#neighbour = targetId;
    await this.show();
  }

  /** Puts the other tab in front of it. */
  async hide(): Promise<void> {
    await this.browser.send('Target.activateTarget', { targetId: this.#neighbour });
  }

  async show(): Promise<void> {
    await this.browser.send('Target.activateTarget', { targetId: this.#place.target });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isGone = true;
    // It may stand still; what is left of it ends with its window.
    await Promise.race([this.send('Runtime.evaluate', { expression: 'leave()', awaitPromise: true }).catch(() => {}), delay(LEAVES_WITHIN_MS)]);
    await this.#place.cleanUp.disposeAsync();
  }

  #hear(said: TabSaid): void {
    if (this.#isGone) return;
    const life = this.#life;
    switch (said.is) {
      case 'tick':
        this.ticks.push(nowMs());
        this.visibility = said.visibility;
        return;
      case 'applied': {
        const { epoch, from, to, data } = said;
        this.#sink.write({ is: 'applied', life, epoch, from, to, events: numberedEvents(data) });
        return;
      }
      case 'ack':
        this.#sink.write({ ...said, life });
        return;
      case 'gap': {
        const { snapshot, ...gap } = said;
        this.#sink.write({ ...gap, life, ...(snapshot === null ? {} : { snapshot: { to: snapshot.to, events: numberedParts(snapshot.messages) } }) });
        return;
      }
      case 'state':
      case 'dial':
      case 'close':
      case 'error': {
        const { is: what, ...detail } = said;
        if (said.is === 'state') {
          this.state = said.name;
          this.manager = said.manager ?? this.manager;
        }
        this.#sink.write({ is: 'note', life, at: nowMs(), what, detail });
      }
    }
  }
}
