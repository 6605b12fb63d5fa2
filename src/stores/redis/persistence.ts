import type { Connection } from './connection.ts';

/** What a script is told of how the server writes: everything is on disk before it answers, not so, or not looked yet. */
export type Always = '1' | '0' | '';

/** How long an answer is taken for granted. */
const KNOWN_MS = 1_000;

/** Whether a server that was started again can have lost nothing. Scripts ask only when they meet one. */
export class Persistence {
  readonly #connection: Connection;
  #known: { readonly always: Always; readonly at: number } | null = null;
  #asking: Promise<Always> | null = null;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Runs `call` until its answer is not `ask`: first as if nobody had looked. */
  async decided(call: (always: Always) => Promise<readonly string[]>): Promise<readonly string[]> {
    const answer = await call('');
    return answer[0] === 'ask' ? call(await this.always()) : answer;
  }

  /** Whether each server has `appendfsync always`; no where that may not be asked. */
  always(): Promise<Always> {
    if (this.#known !== null && performance.now() - this.#known.at < KNOWN_MS) return Promise.resolve(this.#known.always);
    this.#asking ??= this.#look().finally(() => {
      this.#asking = null;
    });
    return this.#asking;
  }

  async #look(): Promise<Always> {
    const connection = this.#connection;
    const answers = await connection.everywhere('CONFIG', ['GET', 'appendfsync'], connection.logDeadlineMs).catch((error: unknown) => {
      // Not everybody may ask for settings. A server that does not answer is another matter: the caller's own call meets it too.
      if ((error as { readonly code?: string }).code === 'SPILLWAY_STORE_BROKEN') return [];
      throw error;
    });
    const always = answers.length > 0 && answers.every((answer) => Array.isArray(answer) && answer[1] === 'always') ? '1' : '0';
    this.#known = { always, at: performance.now() };
    return always;
  }
}
