import type { Attentive } from '../../core/clocks.ts';
import { onPing, onPingFlushed, onPong, onProbe, onProbeFailed, onProbeFlushed, onProbeOk } from '../../core/gather.ts';
import type { Context } from '../context.ts';
import type { WebSocketManager } from '../manager.ts';
import type { Delivery } from './deliver.ts';

/** How many unanswered probes and pings are remembered: a late answer counts too. */
const REMEMBERED = 8;
const NONCE_BYTES = 8;

/** What is asked on one transport, and what is answered: probes by the application, pings by whatever holds the socket. */
export class Questions {
  readonly #context: Context;
  readonly #manager: WebSocketManager;
  readonly #delivery: Delivery;
  readonly #probes = new Map<number, { readonly sequence: number; readonly at: Attentive }>();
  #probeNumber = 0;
  /** When each unanswered ping was sent, by its nonce, oldest first. */
  readonly #pings = new Map<string, Attentive>();

  constructor(context: Context, manager: WebSocketManager, delivery: Delivery) {
    this.#context = context;
    this.#manager = manager;
    this.#delivery = delivery;
  }

  /** Asks the application. The question travels behind everything that was sent before it. False: it could not be written, and its
   *  silence accuses nobody. */
  probe(): boolean {
    const n = ++this.#probeNumber;
    const delivery = this.#delivery;
    // What is due leaves first, so that the answer speaks for it.
    delivery.flush();
    const now = this.#context.now();
    this.#probes.set(n, { sequence: delivery.sequence, at: now });
    for (const old of this.#probes.keys()) if (old <= n - REMEMBERED) this.#probes.delete(old);
    this.#context.probes.opened(this.#manager);
    this.#manager.observe((e) => onProbe(e, delivery.unackedBytes, now, this.#context.options.health.stallGapMs));
    try {
      delivery.ask({ type: 'probe', n });
    } catch (error) {
      this.#probes.delete(n);
      this.#manager.observe(onProbeFailed);
      this.#context.probes.failed(this.#manager);
      this.#context.look(this.#manager, 0);
      this.#context.telemetry.record({ severity: 'WARNING', event: 'probe-failed', message: String(error), manager: this.#manager.id });
      return false;
    }
    if (delivery.transport.unsentBytes === 0) this.#probeFlushed();
    return true;
  }

  #probeFlushed(): void {
    const { probe } = this.#manager.evidence;
    if (probe === null || probe.failed || probe.flushedAt !== null) return;
    const now = this.#context.now();
    this.#manager.observe((e) => onProbeFlushed(e, now));
    this.#context.probes.asked(this.#manager);
    // Plans the look at the end of its patience.
    this.#context.look(this.#manager, 0);
  }

  /** `probe-ok` number `n` came. */
  answered(n: number): void {
    const probe = this.#probes.get(n);
    if (!probe) return;
    for (const asked of this.#probes.keys()) if (asked <= n) this.#probes.delete(asked);
    const now = this.#context.now();
    const counts = !this.#delivery.owesBefore(probe.sequence);
    this.#manager.observe((e) => onProbeOk(e, { counts, rttMs: now - probe.at }, now), counts);
    if (counts) this.#context.probes.answered(this.#manager);
  }

  /** Asks the transport. */
  ping(): void {
    const nonce = this.#context.random.bytes(NONCE_BYTES);
    const { transport } = this.#delivery;
    const now = this.#context.now();
    this.#pings.set(Buffer.from(nonce).toString('hex'), now);
    for (const old of this.#pings.keys()) if (this.#pings.size > REMEMBERED) this.#pings.delete(old);
    this.#manager.observe((e) => onPing(e, now));
    try {
      transport.ping(nonce);
    } catch (error) {
      // A ping that was not written accuses nobody.
      this.#context.telemetry.record({ severity: 'WARNING', event: 'ping-failed', message: String(error), manager: this.#manager.id });
      return;
    }
    if (transport.unsentBytes === 0) this.#manager.observe((e) => onPingFlushed(e, now));
  }

  ponged(nonce: Uint8Array): void {
    const answered = Buffer.from(nonce).toString('hex');
    const at = this.#pings.get(answered);
    if (at === undefined) return;
    for (const asked of this.#pings.keys()) {
      this.#pings.delete(asked);
      if (asked === answered) break;
    }
    const now = this.#context.now();
    this.#manager.observe((e) => onPong(e, now - at, now));
  }

  /** The kernel took everything that was handed over: what was asked has left. */
  drained(): void {
    const now = this.#context.now();
    if (this.#pings.size > 0) this.#manager.observe((e) => onPingFlushed(e, now));
    this.#probeFlushed();
  }
}
