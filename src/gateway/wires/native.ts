import type { Attachment } from '../../managers/delivery/attachment.ts';
import type { WebSocketManager } from '../../managers/manager.ts';
import { CLOSE } from '../../protocol/close-codes.ts';
import { isRetryable } from '../../protocol/errors.ts';
import type { ClientFrame, ErrorFrame } from '../../protocol/frames.ts';
import type { ParsedFrame } from '../../protocol/parse.ts';
import type { Credential } from '../credential.ts';
import { FrameRate } from '../frame-rate.ts';
import type { Line, LineOwner } from '../line.ts';
import type { RunBoard } from '../runs.ts';
import type { Services } from '../services.ts';

const CHECKS_PER_SECOND = 5;

export interface NativeDeps {
  readonly services: Services;
  readonly runs: RunBoard;
  readonly credential: Credential;
  /** The client said goodbye: its seat is free at once. */
  left(reason: 'left' | 'parked'): void;
}

/** What a seated client says on the native wire, frame by frame. */
export class NativeWire implements LineOwner {
  readonly #line: Line;
  readonly #manager: WebSocketManager;
  readonly #attachment: Attachment;
  readonly #deps: NativeDeps;
  readonly #rate: FrameRate;
  #checks: number[] = [];
  #parted = false;
  #answers: Promise<void> = Promise.resolve();

  constructor(line: Line, manager: WebSocketManager, attachment: Attachment, deps: NativeDeps) {
    this.#line = line;
    this.#manager = manager;
    this.#attachment = attachment;
    this.#deps = deps;
    this.#rate = new FrameRate(deps.services.options, deps.services.clock.mono());
  }

  frame(parsed: Exclude<ParsedFrame, { is: 'violation' }>): void {
    if (this.#parted) return;
    if (this.#attachment.ended) {
      if (parsed.is === 'frame') this.#attachment.late(parsed.frame.type);
      return;
    }
    this.#manager.confirmed = true;
    if (!this.#isWithinRate(parsed)) return;
    if (parsed.is === 'refused') this.#fail(parsed.code, parsed.message, parsed.ref);
    else if (parsed.is === 'frame') this.#act(parsed.frame);
  }

  #isWithinRate(parsed: Exclude<ParsedFrame, { is: 'violation' }>): boolean {
    if (parsed.is === 'frame' && (parsed.frame.type === 'ack' || parsed.frame.type === 'probe-ok')) return true;
    const now = this.#deps.services.clock.mono();
    const rate = this.#rate.count(now);
    if (rate === 'ok') return true;
    const retryAfterMs = this.#rate.leftMs(now);
    if (rate === 'flood') this.#part(CLOSE.rateLimited, 'Too many frames.', retryAfterMs);
    else if (parsed.is !== 'unknown') {
      const ref = parsed.is === 'refused' ? parsed.ref : refOf(parsed.frame);
      this.#attachment.fail(
        'rate-limited',
        `More than ${this.#deps.services.options.rate.framesPer10s} frames in ten seconds; this one was not processed.`,
        ref,
        true,
        retryAfterMs,
      );
    }
    return false;
  }

  #act(frame: ClientFrame): void {
    const attachment = this.#attachment;
    switch (frame.type) {
      case 'ack':
        if (attachment.acknowledged(frame.sub, frame.offset) === 'ahead')
          this.#part(CLOSE.ackAhead, `Offset ${frame.offset} was acknowledged on subscription ${frame.sub}, which has not been sent.`);
        return;
      case 'probe-ok':
        attachment.probeAnswered(frame.n, frame.visibility);
        return;
      case 'subscribe':
        attachment.subscribe(frame);
        return;
      case 'unsubscribe':
        attachment.unsubscribe(frame.sub);
        return;
      case 'send':
        this.#send(frame);
        return;
      case 'cancel':
        this.#cancel(frame.run);
        return;
      case 'check':
        this.#check(frame.n);
        return;
      case 'visibility':
        attachment.seen(frame.state);
        return;
      case 'token':
        this.#deps.credential.renew(frame.token, (expiresAt) => attachment.send({ type: 'token-ok', authExpiresAt: expiresAt }));
        return;
      case 'bye':
        this.#parted = true;
        this.#deps.left(frame.reason);
        return;
      case 'hello':
        this.#part(CLOSE.protocolError, 'A second `hello` came.');
        return;
    }
  }

  #send(frame: Extract<ClientFrame, { type: 'send' }>): void {
    const attachment = this.#attachment;
    attachment.requested();
    const { type: _type, ...asked } = frame;
    const request = { ...asked, manager: this.#manager.id };
    // Behind the subscriptions that came before it, so that they see its events; not waited for by what comes after.
    attachment.inOrder(() => {
      const answered = this.#deps.runs
        .send({ user: this.#manager.user.userId }, request, (accepted) => attachment.send(accepted))
        .then((answer) => {
          if ('is' in answer) this.#fail(answer.code, answer.message, { type: 'send', id: frame.id }, answer.retryAfterMs);
        });
      // Without a value of its own, or each answer would hold all earlier ones.
      this.#answers = Promise.all([this.#answers, answered]).then(() => {});
    });
  }

  /** Calls back when what has come so far was answered; never if the connection ends before. */
  whenAnswered(callback: () => void): void {
    this.#attachment.inOrder(() => {
      void this.#answers.then(callback);
    });
  }

  #cancel(run: Extract<ClientFrame, { type: 'cancel' }>['run']): void {
    this.#attachment.requested();
    const ref = { type: 'cancel', run };
    this.#deps.runs.cancel(this.#manager.user.userId, run).then(
      (answer) => {
        if (answer) this.#attachment.send({ type: 'cancelled', ...answer });
        else this.#fail('not-found', 'There is no such run.', ref);
      },
      () => this.#fail('store-unavailable', 'The run could not be looked up. Try again soon.', ref, 2_000),
    );
  }

  #check(n: number): void {
    const now = this.#deps.services.clock.mono();
    this.#checks = this.#checks.filter((at) => now - at < 1_000);
    if (this.#checks.length >= CHECKS_PER_SECOND) return;
    this.#checks.push(now);
    this.#attachment.send({ type: 'check-ok', n });
  }

  #fail(code: ErrorFrame['code'], message: string, ref: NonNullable<ErrorFrame['ref']>, retryAfterMs?: number): void {
    this.#attachment.fail(code, message, ref, isRetryable(code), retryAfterMs);
  }

  #part(close: (typeof CLOSE)[keyof typeof CLOSE], detail: string, retryAfterMs?: number): void {
    this.#parted = true;
    const positions = this.#attachment.positions();
    this.#attachment.delivery.flush();
    this.#line.part({ close, detail, retryAfterMs, positions, manager: this.#manager.id });
  }

  pong(nonce: Uint8Array): void {
    this.#attachment.ponged(nonce);
  }

  drained(): void {
    this.#attachment.drained();
  }
}

function refOf(frame: ClientFrame): NonNullable<ErrorFrame['ref']> {
  switch (frame.type) {
    case 'send':
      return { type: frame.type, id: frame.id };
    case 'cancel':
      return { type: frame.type, run: frame.run };
    case 'subscribe':
    case 'unsubscribe':
    case 'ack':
      return { type: frame.type, sub: frame.sub };
    case 'check':
    case 'probe-ok':
      return { type: frame.type, n: frame.n };
    case 'hello':
    case 'visibility':
    case 'token':
    case 'bye':
      return { type: frame.type };
  }
}
