import type { TransportListener } from '../../ports/transport.ts';
import { CLOSE, type CloseCode } from '../../protocol/close-codes.ts';
import { parseClientFrame } from '../../protocol/parse.ts';
import type { WebSocketManager } from '../manager.ts';
import type { Attachment } from './attachment.ts';
import { sayGoodbye } from './farewell.ts';

/** What a factory without a gateway hears from a client of the native wire: acks, answers to probes, subscriptions, a goodbye. It
 *  knows no agent, so that `send` and `cancel` are answered with `agent-unavailable`. */
export class BareWire implements TransportListener {
  readonly #manager: WebSocketManager;
  readonly #attachment: Attachment;
  readonly #on: { left(reason: 'client-closed' | 'parked'): void; closed(code: number, reason: string): void };

  constructor(
    manager: WebSocketManager,
    attachment: Attachment,
    on: { left(reason: 'client-closed' | 'parked'): void; closed(code: number, reason: string): void },
  ) {
    this.#manager = manager;
    this.#attachment = attachment;
    this.#on = on;
  }

  message(text: string): void {
    const attachment = this.#attachment;
    const parsed = parseClientFrame(text);
    if (attachment.ended) {
      if (parsed.is === 'frame') attachment.late(parsed.frame.type);
      return;
    }
    if (parsed.is === 'violation') {
      this.#part(parsed.close, parsed.detail);
      return;
    }
    if (parsed.is === 'refused') attachment.fail(parsed.code, parsed.message, parsed.ref);
    if (parsed.is !== 'frame') return;
    this.#manager.confirmed = true;
    const { frame } = parsed;
    if (frame.type === 'ack') {
      if (attachment.acknowledged(frame.sub, frame.offset) === 'ahead') this.#part(CLOSE.ackAhead, 'What was acknowledged has not been sent.');
    } else if (frame.type === 'probe-ok') attachment.probeAnswered(frame.n, frame.visibility);
    else if (frame.type === 'subscribe') attachment.subscribe(frame);
    else if (frame.type === 'unsubscribe') attachment.unsubscribe(frame.sub);
    else if (frame.type === 'visibility') attachment.seen(frame.state);
    else if (frame.type === 'check') attachment.send({ type: 'check-ok', n: frame.n });
    else if (frame.type === 'bye') this.#on.left(frame.reason === 'parked' ? 'parked' : 'client-closed');
    else if (frame.type === 'send' || frame.type === 'cancel') attachment.fail('agent-unavailable', 'Nobody answers messages here.', { type: frame.type });
  }

  #part(close: CloseCode, detail: string): void {
    sayGoodbye(this.#attachment.transport, { close, detail, positions: this.#attachment.positions(), manager: this.#manager.id });
  }

  binary(): void {
    this.#part(CLOSE.protocolError, 'A binary message came; frames are text.');
  }
  pong(nonce: Uint8Array): void {
    this.#attachment.ponged(nonce);
  }
  drained(): void {
    this.#attachment.drained();
  }
  closed(code: number, reason: string): void {
    this.#on.closed(code, reason);
  }
}
