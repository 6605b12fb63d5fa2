import { openPipe, type Pipe, type ToPage, type ToSockets } from './pipe.ts';

let pipe: Pipe<ToSockets> | null = null;
let count = 0;
const open = new Map<number, PipedSocket>();

function hear(message: ToPage): void {
  const socket = open.get(message.id);
  if (socket === undefined) return;
  if ('opened' in message) socket.hasOpened();
  else if ('data' in message) socket.onmessage?.({ data: message.data });
  else socket.hasClosed(message.closed);
}

/** The page's end of a socket that another process has. */
export class PipedSocket {
  readonly #id = ++count;
  readonly #pipe: Pipe<ToSockets>;
  readyState = 0;
  onopen: ((event: object) => void) | null = null;
  onmessage: ((event: { readonly data: string }) => void) | null = null;
  onclose: ((event: { readonly code: number; readonly reason: string }) => void) | null = null;
  onerror: ((event: object) => void) | null = null;

  constructor(url: string, protocols: string | readonly string[] = []) {
    pipe ??= openPipe<ToPage, ToSockets>(hear);
    this.#pipe = pipe;
    open.set(this.#id, this);
    pipe.write({ id: this.#id, open: url, protocols });
  }

  send(data: string): void {
    this.#pipe.write({ id: this.#id, send: data });
  }

  close(): void {
    this.readyState = 2;
    this.#pipe.write({ id: this.#id, close: true });
  }

  hasOpened(): void {
    this.readyState = 1;
    this.onopen?.({});
  }

  hasClosed(how: { readonly code: number; readonly reason: string }): void {
    this.readyState = 3;
    open.delete(this.#id);
    this.onclose?.(how);
  }
}
