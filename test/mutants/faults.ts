import type { Mutant } from './mutant.ts';

/** The command fails for a row that failed. One that stays void, because the machine was too busy, shows nothing and is tried again. */
export const row = (...keys: readonly string[]): string =>
  `$ for i in 1 2 3; do node test/faults/main.ts --fast --only ${keys.join(',')}; code=$?; test $code -eq 3 || break; done; test $code -ne 1`;

/** Mistakes that the fault catalogue must notice. */
export const FAULT_MUTANTS: readonly Mutant[] = [
  {
    name: 'fault-pong-is-life',
    proves: 'a protocol pong counts as a sign of life of the application',
    file: 'src/core/evidence.ts',
    find: 'Math.max(e.ackAt, e.answerAt, e.inboundAt)',
    replace: 'Math.max(e.ackAt, e.answerAt, e.inboundAt, e.pongAt)',
    caughtBy: row('F05a', 'F06a'),
  },
  {
    name: 'fault-probe-is-ack',
    proves: 'an answered probe counts though events sent before it are not acknowledged',
    file: 'src/managers/delivery/questions.ts',
    find: 'const counts = !this.#delivery.owesBefore(probe.sequence);',
    replace: 'const counts = true;',
    caughtBy: row('F06d'),
  },
  {
    name: 'fault-bytes-are-life',
    proves: 'whatever arrives from a client counts as a sign of life',
    file: 'src/gateway/wires/native.ts',
    find: 'this.#checks.push(now);',
    replace: 'this.#checks.push(now);\n    this.#attachment.requested();',
    caughtBy: row('F07'),
  },
  {
    name: 'fault-send-is-life',
    proves: 'a frame that was written without an error counts as a sign of life of the transport',
    file: 'src/core/ask.ts',
    find: 'const signAt = Math.max(e.pongAt, applicationAt(e));',
    replace: 'const signAt = Math.max(e.pongAt, applicationAt(e), e.sentAt, e.pingedAt);',
    caughtBy: row('F02', 'F03p'),
  },
  {
    name: 'fault-await-close',
    proves: 'the socket of a dead peer is let go of when the closing handshake is over',
    file: 'src/transports/websocket.ts',
    find: 'this.#socket.terminate();',
    replace: 'this.#socket.close(1000);',
    caughtBy: row('F02'),
  },
  {
    name: 'fault-short-app-deadline',
    proves: 'an application is called dead after a third of its time',
    file: 'src/core/pressure.ts',
    find: 'Math.max(o.health.freshMs, between(p, APP_DEAD_FALLS_FROM, o.health.appDeadMs, o.health.appDeadFullMs));',
    replace: 'Math.max(o.health.freshMs, between(p, APP_DEAD_FALLS_FROM, o.health.appDeadMs, o.health.appDeadFullMs) / 3);',
    caughtBy: row('F11a'),
  },
];
