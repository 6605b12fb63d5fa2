import { createHmac } from 'node:crypto';
import type { Connection } from './connection.ts';
import { takeTokens, type Wire } from './wire.ts';

/** How far a connection goes before it counts as ready. `opened`: only the upgrade; `seated`: from `hello` to `ready`, or
 *  to a place in the queue; `following`: a thread of its own is subscribed to. */
export type Stage = 'opened' | 'seated' | 'following';

export interface SpillwayWireOptions {
  /** Signs the users' tokens. */
  readonly secret: string;
  readonly stage: Stage;
  /** False: nothing is acknowledged and no probe answered, as by a page that is stuck. */
  readonly answers: boolean;
  /** How a new connection shows who it is. `resume`: as the manager that the connection of the same index was before. */
  readonly credential: 'token' | 'ticket' | 'resume';
  /** Connection i belongs to user i modulo this; null: everybody is a user of their own. */
  readonly users: number | null;
  /** True: a run is started before it counts as `following`. False: it follows, and asks nothing by itself. */
  readonly asks: boolean;
}

/** What an SDK remembers of one connection. */
interface Session {
  token: string;
  ticket: string;
  manager: string;
  resumeToken: string;
  offset: number;
  acked: number;
  frames: number;
  bytes: number;
  ackedAtMs: number;
}

/** The native wire, with acknowledgements by the rule that the SDK keeps: after so many frames or bytes, or with the first frame after
 *  so long, at once where it is asked for; never by a timer. */
export class SpillwayWire implements Wire {
  options: SpillwayWireOptions;
  readonly #sessions: Session[] = [];
  #ack = { frames: 16, bytes: 16_384, ms: 250 };
  #asked = 0;

  constructor(options: SpillwayWireOptions) {
    this.options = options;
  }

  /** Signs a user's token ahead, so that a storm costs the generator little. */
  prepare(index: number): Session {
    let session = this.#sessions[index];
    if (session === undefined) {
      session = {
        token: signed(this.userOf(index), this.options.secret),
        ticket: '',
        manager: '',
        resumeToken: '',
        offset: 0,
        acked: 0,
        frames: 0,
        bytes: 0,
        ackedAtMs: Number.NEGATIVE_INFINITY,
      };
      this.#sessions[index] = session;
    }
    return session;
  }

  userOf(index: number): string {
    return `user-${this.options.users === null ? index : index % this.options.users}`;
  }

  /** Buys a ticket over HTTP. */
  async buyTicket(index: number, port: number): Promise<void> {
    const session = this.prepare(index);
    const response = await fetch(`http://127.0.0.1:${port}/v1/auth/ticket`, {
      method: 'POST',
      headers: { authorization: `Bearer ${session.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ ttlMs: 300_000 }),
    });
    const { ticket } = (await response.json()) as { readonly ticket?: string };
    if (ticket === undefined) throw new Error(`Expected a ticket, got status ${response.status}.`);
    session.ticket = ticket;
  }

  request(index: number): { readonly path: string; readonly protocol: string } {
    const query = this.options.credential === 'ticket' ? `?ticket=${this.prepare(index).ticket}` : '';
    return { path: `/v1/ws${query}`, protocol: 'spillway.v1' };
  }

  opened(connection: Connection): void {
    const session = this.prepare(connection.index);
    if (this.options.stage === 'opened') {
      connection.isReady();
      return;
    }
    const { credential } = this.options;
    this.#say(connection, {
      type: 'hello',
      v: 1,
      ...(credential === 'token' ? { token: session.token } : {}),
      client: { name: 'bench', version: '1' },
      intent: 'user',
      visibility: 'visible',
      ...(credential === 'resume' ? { resume: { manager: session.manager, token: session.resumeToken, subs: [] } } : {}),
    });
  }

  text(connection: Connection, payload: Buffer): void {
    if (payload.toString('latin1', 0, EVENT.length) === EVENT) this.#event(connection, payload);
    else this.#frame(connection, JSON.parse(payload.toString()) as Frame);
  }

  ask(connection: Connection, text: string): void {
    this.#say(connection, { type: 'send', id: `ask-${connection.index}-${++this.#asked}`, thread: THREAD, data: { text } });
  }

  /** Answers what it owes, as a page that was stuck and goes on. */
  catchUp(connection: Connection): void {
    this.#acknowledge(connection, this.prepare(connection.index));
  }

  farewell(connection: Connection): void {
    this.#say(connection, { type: 'bye', reason: 'left' });
  }

  #event(connection: Connection, payload: Buffer): void {
    const session = this.prepare(connection.index);
    const head = payload.toString('latin1', 0, payload.indexOf(DATA));
    const offset = numberAfter(head, '"offset":');
    const from = head.includes('"from":') ? numberAfter(head, '"from":') : offset;
    if (offset <= session.offset) return;
    if (from !== session.offset + 1) {
      connection.fail(`an event covers ${from} to ${offset}, expected ${session.offset + 1} next`);
      return;
    }
    session.offset = offset;
    if (!head.includes('"kind":')) takeTokens(connection, payload);
    session.frames++;
    session.bytes += payload.length;
    const isDue = session.frames >= this.#ack.frames || session.bytes >= this.#ack.bytes || connection.readAtUs / 1_000 - session.ackedAtMs >= this.#ack.ms;
    if (isDue || head.includes('"ack":true')) this.#acknowledge(connection, session);
  }

  #acknowledge(connection: Connection, session: Session): void {
    if (!this.options.answers || session.acked === session.offset) return;
    session.acked = session.offset;
    session.frames = 0;
    session.bytes = 0;
    session.ackedAtMs = connection.readAtUs / 1_000;
    connection.sendText(`{"type":"ack","sub":1,"offset":${session.offset}}`);
  }

  #frame(connection: Connection, frame: Frame): void {
    const session = this.prepare(connection.index);
    switch (frame.type) {
      case 'welcome':
        if (frame.ack !== undefined) this.#ack = frame.ack;
        return;
      case 'ready':
        session.manager = frame.manager ?? '';
        session.resumeToken = frame.resumeToken ?? '';
        if (this.options.stage !== 'following') connection.isReady();
        else this.#say(connection, { type: 'subscribe', sub: 1, thread: THREAD, from: 'start' });
        return;
      case 'replayed':
        if (this.options.asks) this.ask(connection, 'go');
        else connection.isReady();
        return;
      case 'run-accepted':
        connection.isReady();
        return;
      case 'probe':
        if (!this.options.answers) return;
        this.#acknowledge(connection, session);
        this.#say(connection, { type: 'probe-ok', n: frame.n, visibility: 'visible' });
        return;
      case 'queued':
        if (this.options.stage === 'seated') connection.isReady();
        return;
      case 'error':
      case 'gap':
      case 'bye':
        connection.fail(`the gateway said ${JSON.stringify(frame)}`);
        return;
    }
  }

  #say(connection: Connection, frame: object): void {
    connection.sendText(JSON.stringify(frame));
  }
}

interface Frame {
  readonly type: string;
  readonly ack?: { readonly frames: number; readonly bytes: number; readonly ms: number };
  readonly manager?: string;
  readonly resumeToken?: string;
  readonly n?: number;
}

const THREAD = 'bench';
const EVENT = '{"type":"event"';
const DATA = Buffer.from('"data":');
const numberAfter = (text: string, name: string): number => Number.parseInt(text.slice(text.indexOf(name) + name.length), 10);

const base64url = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

function signed(user: string, secret: string): string {
  const body = `${base64url({ alg: 'HS256' })}.${base64url({ sub: user, exp: Math.floor(Date.now() / 1_000) + 3_600 })}`;
  return `${body}.${createHmac('sha256', secret).update(body).digest('base64url')}`;
}
