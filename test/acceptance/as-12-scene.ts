/** A person with tabs: a log-in whose tokens live shortly, one-time tickets, the real SDK in each tab, and a road of its own to a real
 *  proxy in front of the gateway. */

import { type ClientState, createSpillway, type SpillwayClient, type StreamEvent, type ThreadEvent } from '../../src/client/index.ts';
import { until } from '../support/peers/kernel.ts';
import { type TcpRelay, tcpRelay } from '../support/peers/tcp-relay.ts';

export const THREAD = 'golden';
export const USER = 'ada';
const PASSWORD = 'spillway';
/** A token is not used for its last tenth: it must still be good when it arrives. */
const FRESH_SHARE = 0.1;

interface Tokens {
  readonly accessToken: string;
  readonly expiresAt: number;
  readonly refreshToken: string;
}

/** Who is logged in. All tabs of a browser share it. */
export class Person {
  readonly #url: string;
  #tokens: Tokens;
  #livesMs: number;
  #renewing: Promise<Tokens> | null = null;
  /** Fresh pairs so far. */
  refreshed = 0;

  private constructor(url: string, tokens: Tokens) {
    this.#url = url;
    this.#tokens = tokens;
    this.#livesMs = tokens.expiresAt - Date.now();
  }

  static async login(url: string, username = USER): Promise<Person> {
    return new Person(url, await post<Tokens>(url, 'auth/login', { username, password: PASSWORD }));
  }

  /** A token that is good for a while. Fails while the gateway cannot be reached, as a page's own fetch does. */
  async token(): Promise<string> {
    if (this.#tokens.expiresAt - Date.now() < this.#livesMs * FRESH_SHARE) {
      // Refresh tokens are used up by their use, so that two tabs must not use the same one.
      this.#renewing ??= post<Tokens>(this.#url, 'auth/refresh', { refreshToken: this.#tokens.refreshToken }).finally(() => {
        this.#renewing = null;
      });
      const renewed = await this.#renewing;
      if (renewed !== this.#tokens) this.refreshed += 1;
      this.#tokens = renewed;
    }
    return this.#tokens.accessToken;
  }

  /** Admits once. */
  async ticket(): Promise<string> {
    return (await post<{ ticket: string }>(this.#url, 'auth/ticket', {}, await this.token())).ticket;
  }
}

async function post<T>(url: string, path: string, body: object, token?: string): Promise<T> {
  const headers = { 'content-type': 'application/json', ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) };
  const response = await fetch(`${url}/v1/${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  if (response.ok) return (await response.json()) as T;
  // A proxy without a gateway behind it is a network that is away, for a page.
  if (response.status >= 502) throw new TypeError(`fetch failed: ${response.status}`);
  throw new Error(`Expected ${path} to succeed, got ${response.status}: ${await response.text()}`);
}

export interface TabOptions {
  /** Where the proxy listens. */
  readonly port: number;
  readonly by: 'token' | 'ticket';
  /** Longest wait between two attempts, scaled as the scenario is. */
  readonly maxDelayMs: number;
}

export interface Exchange {
  readonly run: string;
  readonly text: string;
  readonly types: readonly string[];
  readonly firstEventMs: number;
  readonly replyMs: number;
}

/** One tab, and everything that its person saw of the connection. */
export class Tab {
  readonly client: SpillwayClient;
  readonly road: TcpRelay;
  /** Events of the thread as they were applied, one a line. */
  readonly read: string[] = [];
  /** Offsets that did not follow each other. */
  readonly holes: string[] = [];
  readonly states: ClientState[] = [];
  readonly closes: number[] = [];
  /** What it was told went wrong without ending anything. */
  readonly errors: string[] = [];
  dials = 0;
  credentials = 0;
  #position = 0;

  private constructor(person: Person, road: TcpRelay, { by, maxDelayMs }: TabOptions) {
    this.road = road;
    const url = `ws://127.0.0.1:${road.port}/v1/ws`;
    this.client = createSpillway({
      ...(by === 'token'
        ? {
            url,
            getToken: () => {
              this.credentials += 1;
              return person.token();
            },
          }
        : {
            url: async () => {
              this.credentials += 1;
              return `${url}?ticket=${await person.ticket()}`;
            },
          }),
      storage: 'none',
      retry: { maxDelayMs },
      debug: (event) => {
        if (event.type === 'dial') this.dials += 1;
        else if (event.type === 'close') this.closes.push(event.code);
      },
    });
    this.client.on('state', (state) => this.states.push(state));
    this.client.on('error', (error) => this.errors.push(String(error)));
    this.client.thread(THREAD).on((event) => this.#apply(event), { from: 'start' });
  }

  /** A person opens it: resolves when it is live. */
  static async open(person: Person, o: TabOptions): Promise<Tab> {
    const tab = new Tab(person, await tcpRelay(o.port), o);
    await tab.client.connect();
    return tab;
  }

  #apply({ position, data, kind }: StreamEvent<ThreadEvent>): void {
    // A range covers what was merged for it; its parts are compared, however they were cut.
    if (position.offset <= this.#position) this.holes.push(`${position.offset} after ${this.#position}`);
    this.#position = position.offset;
    const line = kind === 'message' ? `message ${(data as { id: string }).id}` : `${data.type} ${(data as { run_id: string }).run_id}`;
    const last = this.read.at(-1);
    if (data.type === 'text_delta' || data.type === 'agent_thinking') {
      const text = data.type === 'text_delta' ? data.text : data.reasoning;
      if (last?.startsWith(`${line}: `)) this.read[this.read.length - 1] = last + text;
      else this.read.push(`${line}: ${text}`);
    } else this.read.push(line);
  }

  get state(): ClientState {
    return this.client.state;
  }

  get isLive(): boolean {
    return this.state.name === 'live';
  }

  get manager(): string {
    return this.state.name === 'live' ? this.state.manager : '';
  }

  /** How each transport was seated, in order. */
  get seatings(): readonly string[] {
    return this.states.flatMap((state) => (state.name === 'live' ? [state.resume] : []));
  }

  async whenLive(deadlineMs: number): Promise<void> {
    await until(`tab ${this.road.port} to be live`, () => this.isLive, deadlineMs, 5).catch((error: unknown) => {
      throw Object.assign(error as Error, {
        message: `${(error as Error).message} It is ${JSON.stringify(this.state)}; closes ${this.closes.slice(-4).join()}; ${this.errors.slice(-3).join('; ')}`,
      });
    });
  }

  /** Asks and reads the whole answer; throws if an event of another thread or run is among it, or one is missing or comes twice. */
  async ask(text: string): Promise<Exchange> {
    const askedAt = performance.now();
    const run = this.client.thread(THREAD).send(text);
    const types: string[] = [];
    let [answer, firstEventMs, id] = ['', 0, ''];
    for await (const { data } of run) {
      if (types.length === 0) firstEventMs = performance.now() - askedAt;
      id ||= data.run_id;
      if (data.thread_id !== THREAD || data.run_id !== id) throw new Error(`Expected events of ${THREAD} and ${id}, got ${data.thread_id} and ${data.run_id}.`);
      types.push(data.type);
      if (data.type === 'text_delta') answer += data.text;
      if (data.type === 'agent_completed' && data.final_response !== undefined && data.final_response !== answer)
        throw new Error('The answer is not what its deltas made.');
    }
    return { run: id, text: answer, types, firstEventMs, replyMs: performance.now() - askedAt };
  }

  /** The network goes for so long, in both directions and for new connections too, and comes back. */
  async cut(ms: number): Promise<void> {
    this.road.become({ is: 'cut' });
    await until('the tab to notice', () => !this.isLive, 5_000, 5);
    await new Promise((resolve) => setTimeout(resolve, ms));
    this.road.become({ is: 'clear' });
  }

  /** Its machine is gone: nobody is told, and nothing of it arrives any more. */
  async die(): Promise<void> {
    this.road.become({ is: 'swallow' });
    // Its farewell vanishes like all the rest.
    void this.client.close();
    await until('it to be gone', () => this.state.name === 'closed');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.close();
    await this.road[Symbol.asyncDispose]();
  }
}
