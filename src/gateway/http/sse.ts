import type { Clock } from '../../ports/clock.ts';
import type { HttpContext } from './http-env.ts';

/** Bytes that wait for the reader before its source is told to stop: without acknowledgements this is all that may be under way. */
const WINDOW_BYTES = 65_536;

const encoder = new TextEncoder();

const SSE_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  // Proxies that gather bytes before they pass them on would hold events back.
  'x-accel-buffering': 'no',
} as const;

/** Answers with a stream of events. Whoever asks for its head alone (`HEAD`) gets that: a stream that nobody reads would never end. */
export async function answerWithEvents(c: HttpContext, open: () => Stream | Promise<Stream>): Promise<Response> {
  return c.req.method === 'HEAD' ? c.body(null, 200, SSE_HEADERS) : c.body(await open(), 200, SSE_HEADERS);
}
type Stream = ReadableStream<Uint8Array>;

export interface SseBodyOptions {
  readonly clock: Clock;
  readonly keepAliveMs: number;
  /** The reader took what it had been given and may be told more. */
  readonly drained: () => void;
  /** Called once, whoever ended it. */
  readonly ended: () => void;
}

/** The body of a response of server-sent events: bounded, and never silent for longer than `keepAliveMs`. */
export class SseBody {
  readonly stream: ReadableStream<Uint8Array>;
  readonly #options: SseBodyOptions;
  #controller!: ReadableStreamDefaultController<Uint8Array>;
  #isOver = false;
  #cancelKeepAlive: () => void = () => {};

  constructor(options: SseBodyOptions) {
    this.#options = options;
    this.stream = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => options.drained(),
        cancel: () => this.#over(),
      },
      new ByteLengthQueuingStrategy({ highWaterMark: WINDOW_BYTES }),
    );
    this.#armKeepAlive();
  }

  get isOver(): boolean {
    return this.#isOver;
  }
  get isFull(): boolean {
    return (this.#controller.desiredSize ?? 0) <= 0;
  }

  /** Does nothing after the end. */
  write(text: string): void {
    if (!this.#isOver) this.#controller.enqueue(encoder.encode(text));
  }

  /** What waits for the reader is still delivered. */
  end(): void {
    if (this.#isOver) return;
    this.#controller.close();
    this.#over();
  }

  #armKeepAlive(): void {
    this.#cancelKeepAlive = this.#options.clock.after(this.#options.keepAliveMs, () => {
      // A reader that takes nothing is not told more.
      if (!this.isFull) this.write(': keep-alive\n\n');
      this.#armKeepAlive();
    });
  }

  #over(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cancelKeepAlive();
    this.#options.ended();
  }
}
