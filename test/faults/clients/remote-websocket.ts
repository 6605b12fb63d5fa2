import type { MessagePort } from 'node:worker_threads';
import type { FromPage, ToPage } from './page-messages.ts';

const CONNECTING = 0;
const OPEN = 1;
const CLOSED = 3;

/** A class of WebSockets whose connection is in another thread, as a page's is in a browser. */
export function remoteWebSocket(network: MessagePort): typeof WebSocket {
  const open = new Map<number, Remote>();
  const tell = (message: FromPage): void => network.postMessage(message);
  let made = 0;

  class Remote extends EventTarget {
    onopen: ((event: Event) => void) | null = null;
    onmessage: ((event: MessageEvent) => void) | null = null;
    onclose: ((event: CloseEvent) => void) | null = null;
    onerror: ((event: Event) => void) | null = null;
    readyState: number = CONNECTING;
    readonly #number = ++made;

    constructor(url: string | URL, protocols: string | string[] = []) {
      super();
      open.set(this.#number, this);
      tell({ is: 'dial', socket: this.#number, url: String(url), protocols: [protocols].flat() });
    }

    send(text: string): void {
      tell({ is: 'send', socket: this.#number, text });
    }

    close(): void {
      if (this.readyState === CLOSED) return;
      tell({ is: 'close', socket: this.#number });
    }

    hear(message: Exclude<ToPage, { is: 'freeze' | 'leave' }>): void {
      if (message.is === 'opened') {
        this.readyState = OPEN;
        this.#tell('open', new Event('open'));
      } else if (message.is === 'message') this.#tell('message', new MessageEvent('message', { data: message.text }));
      else {
        this.readyState = CLOSED;
        open.delete(this.#number);
        this.#tell('close', Object.assign(new Event('close'), { code: message.code, reason: message.reason }));
      }
    }

    /** Listeners first: they were there when the handler was not set yet. */
    #tell(name: 'open' | 'message' | 'close', event: Event): void {
      this.dispatchEvent(event);
      (this[`on${name}`] as ((event: Event) => void) | null)?.(event);
    }
  }

  network.on('message', (message: ToPage) => {
    if ('socket' in message) open.get(message.socket)?.hear(message);
  });
  return Remote as unknown as typeof WebSocket;
}
