import { createSpillway, type SpillwayClient, type ThreadEvent } from '../../src/client/index.ts';
import { freePort, type RunningCli, startCli } from '../support/cli.ts';
import { tokenFor } from '../support/gateway.ts';
import { startOpenAiServer } from '../support/openai-server.ts';

const JWT_SECRET = 'a-secret-of-the-issuer-32-bytes-long';
const SECRET = new TextEncoder().encode(JWT_SECRET);
export const tokenOf = (user: string): Promise<string> => tokenFor(user, { secret: SECRET });
/** Requests that the model answers; none is left unanswered. */
const ANSWERS = 1_000;

/** Behind this number every answer waits, so that all of them are in the middle at one instant. */
export const MIDDLE = 15;

export interface CountingModel extends AsyncDisposable {
  readonly baseUrl: string;
  /** Answers that wait in the middle go on. */
  goOn(): void;
}

/** A model that counts: asked for `count to 60 every 50 ms`, it says each number in a piece of its own. */
export async function countingModel(): Promise<CountingModel> {
  const server = await startOpenAiServer();
  let goOn = (): void => {};
  const gate = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  for (let n = 0; n < ANSWERS; n++) {
    server.script(async (exchange) => {
      const asked = /count to (\d+) every (\d+) ms$/.exec(JSON.stringify(exchange.body.messages.at(-1)).replaceAll(/["\]}]+$/g, ''));
      const [count, everyMs] = [Number(asked?.[1]), Number(asked?.[2])];
      let isOpen = true;
      void exchange.closedByClient.then(() => {
        isOpen = false;
      });
      for (let i = 1; i <= count && isOpen; i++) {
        exchange.text(`${i} `);
        await new Promise((resolve) => setTimeout(resolve, everyMs));
        if (i === MIDDLE) await gate;
      }
      if (isOpen) exchange.finish();
    });
  }
  return { baseUrl: server.baseUrl, goOn: () => goOn(), [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

/** What the model says when it counts to the end. */
export const counted = (to: number): string => Array.from({ length: to }, (_, i) => `${i + 1} `).join('');

/** What `serve` needs to let these people in and to ask the model that counts, wherever that is. */
export const SERVE_ENV = {
  SPILLWAY_AUTH_JWT_SECRET: JWT_SECRET,
  SPILLWAY_AUTH_ORIGINS: 'https://chat.example',
  SPILLWAY_AGENT_KIND: 'openai-compatible',
  SPILLWAY_AGENT_MODEL: 'counter',
  SPILLWAY_LOGGING_FORMAT: 'json',
} as const;

/** `spillway serve` as an operator runs it, on one folder and one port, started as often as one likes. */
export async function serveOn(folder: string, model: CountingModel, drainMs: number): Promise<{ readonly url: string; start(): Promise<RunningCli> }> {
  const address = `127.0.0.1:${await freePort()}`;
  const start = async (): Promise<RunningCli> => {
    const args = ['serve', '--listen', address, '--admin.listen', '127.0.0.1:0', '--data', folder, '--store', `sqlite:${folder}/store.sqlite`];
    const env = {
      ...SERVE_ENV,
      SPILLWAY_AGENT_BASE_URL: model.baseUrl,
      SPILLWAY_SHUTDOWN_TIMEOUT_MS: String(drainMs),
      SPILLWAY_SHUTDOWN_SPREAD_MS: '500',
    };
    const process = startCli(args, { env });
    await process.until(/"event":"listening"/);
    return process;
  };
  return { url: `http://${address}`, start };
}

/** A run as a client has seen it, event by event. */
export interface SeenRun {
  text: string;
  readonly starts: number[];
  /** Offsets of its terminal events, each with what it says. */
  readonly ends: { readonly offset: number; readonly how: string }[];
}

/** One person with one conversation: everything the SDK handed over, in the order in which it came. */
export class Person implements AsyncDisposable {
  readonly user: string;
  readonly thread: string;
  readonly client: SpillwayClient;
  readonly runs = new Map<string, SeenRun>();
  readonly offsets: number[] = [];
  /** Frames and closes that tell how it was treated. */
  readonly refusals: string[] = [];
  readonly closes: string[] = [];
  readonly notices: string[] = [];
  gaps = 0;
  /** Ids of runs by the message they answer. */
  readonly accepted: Promise<string>[] = [];

  constructor(url: string, user: string, thread: string) {
    this.user = user;
    this.thread = thread;
    this.client = createSpillway({
      url: `${url}/v1/ws`,
      getToken: () => tokenOf(user),
      storage: 'none',
      // The next instance starts at once; a test need not wait for it as long as a browser may.
      retry: { maxDelayMs: 1_000 },
      debug: (event) => {
        if (event.type === 'frame' && event.direction === 'in' && event.frame === 'error') this.refusals.push('error');
        if (event.type === 'close') this.closes.push(`${event.code} ${event.reason}`);
      },
    });
    this.client.on('gap', () => this.gaps++);
    this.client.on('notice', (notice) => this.notices.push(notice.kind));
    this.client.thread(thread).on(({ position, data }) => this.#apply(position.offset, data), { from: 'start' });
  }

  /** Asks; the run shows up in `runs`. */
  ask(count: number, everyMs: number): void {
    const { accepted } = this.client.thread(this.thread).send(`count to ${count} every ${everyMs} ms`);
    const run = accepted.then(({ runId }) => runId);
    // Whoever waits for it learns why there is none.
    run.catch(() => {});
    this.accepted.push(run);
  }

  /** The first run's text so far. */
  get text(): string {
    return [...this.runs.values()][0]?.text ?? '';
  }

  hasEnded(runs: number): boolean {
    const all = [...this.runs.values()];
    return all.length === runs && all.every(({ ends }) => ends.length > 0);
  }

  async log(url: string): Promise<{ readonly offset: number; readonly messages: readonly { readonly status: string; readonly text: string }[] }> {
    const response = await fetch(`${url}/v1/threads/${this.thread}/messages`, {
      headers: { authorization: `Bearer ${await tokenOf(this.user)}` },
    });
    const { position, messages } = (await response.json()) as {
      readonly position: { readonly offset: number };
      readonly messages: readonly { readonly role: string; readonly status: string; readonly parts: readonly { readonly text?: string }[] }[];
    };
    const answers = messages.filter(({ role }) => role === 'assistant');
    return { offset: position.offset, messages: answers.map(({ status, parts }) => ({ status, text: parts.map(({ text }) => text ?? '').join('') })) };
  }

  #apply(offset: number, data: ThreadEvent): void {
    this.offsets.push(offset);
    if (data.type === undefined) return;
    const id = data.run_id;
    let run = this.runs.get(id);
    if (run === undefined) {
      run = { text: '', starts: [], ends: [] };
      this.runs.set(id, run);
    }
    if (data.type === 'agent_started') run.starts.push(offset);
    else if (data.type === 'text_delta') run.text += data.text;
    else if (data.type === 'agent_completed') run.ends.push({ offset, how: String(data.status) });
    else if (data.type === 'agent_error') run.ends.push({ offset, how: String(data.code) });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.close();
  }
}
