import { HELLO } from '../gateway.ts';
import { WireClient, type WireFrame } from '../wire-client.ts';
import { nowMs } from './time.ts';

const isAnswer = ({ type, retryAfterMs }: WireFrame): boolean => type === 'ready' || type === 'queued' || (type === 'bye' && typeof retryAfterMs === 'number');

/** A person who wants a seat and does what each answer says until there is one: waits in the queue, or comes back at the time that was told. */
export class Persistent implements AsyncDisposable {
  /** From `hello` to the first answer of the first attempt. */
  firstAnswerMs = Number.NaN;
  /** From the first `hello` to the seat. */
  seatedAfterMs = Number.NaN;
  firstAnswer = '';
  /** What went wrong, if something did. */
  failure: string | null = null;
  attempts = 0;
  #wire: WireClient | null = null;
  readonly #token: string;
  readonly #url: string;
  /** Spelled beforehand, so that many can say theirs at the same moment. */
  readonly #hello: string;
  #helloAt = Number.NaN;

  constructor(url: string, token: string) {
    this.#url = url;
    this.#token = token;
    this.#hello = JSON.stringify({ ...HELLO, token });
  }

  /** Dials, and says nothing yet. */
  async dial(): Promise<void> {
    this.#wire = (await WireClient.open(this.#url, { deadlineMs: 90_000 })).behave();
  }

  /** Says `hello`, and resolves when it has been seated, or has failed. */
  async ask(): Promise<void> {
    this.#helloAt = nowMs();
    try {
      await this.#attempt({});
    } catch (error) {
      this.failure = String(error);
    }
  }

  async #attempt(resume: object): Promise<void> {
    this.attempts++;
    const wire = this.#wire as WireClient;
    wire.sendFrame(this.attempts === 1 ? this.#hello : { ...HELLO, token: this.#token, ...resume });
    const answer = await wire.nextWhere('an answer', isAnswer);
    if (this.attempts === 1) {
      this.firstAnswerMs = nowMs() - this.#helloAt;
      this.firstAnswer = answer.type;
    }
    const end = answer.type === 'queued' ? await wire.nextWhere('the end of the wait', (f) => f.type === 'ready' || f.type === 'bye') : answer;
    if (end.type === 'ready') {
      this.seatedAfterMs = nowMs() - this.#helloAt;
      return;
    }
    if (typeof end.retryAfterMs !== 'number' || end.retryAfterMs <= 0) throw new Error(`Expected a seat or a time, got ${end.code} ${end.reason}.`);
    await new Promise((resolve) => setTimeout(resolve, end.retryAfterMs));
    await wire[Symbol.asyncDispose]();
    await this.dial();
    await this.#attempt({ resume: { manager: end.manager, token: end.resumeToken, subs: [] } });
  }

  get isOpen(): boolean {
    return this.#wire?.isOpen === true;
  }
  /** It holds a seat, as far as it was told. */
  get isSeated(): boolean {
    return !Number.isNaN(this.seatedAfterMs) && this.isOpen && this.#wire?.frames.every(({ type }) => type !== 'bye') === true;
  }
  get ready(): WireFrame | null {
    return this.#wire?.frames.findLast(({ type }) => type === 'ready') ?? null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#wire?.[Symbol.asyncDispose]();
  }
}
