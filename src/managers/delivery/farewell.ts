import type { Transport } from '../../ports/transport.ts';
import { type CloseCode, closeReason, returnOf } from '../../protocol/close-codes.ts';
import type { Explanation, ServerBye } from '../../protocol/frames.ts';
import type { ManagerId } from '../../protocol/ids.ts';
import type { ReasonCode } from '../../protocol/reasons.ts';
import { closeText } from '../../protocol/texts.ts';
import { writeFrame } from '../../protocol/write.ts';

export interface Farewell {
  readonly close: CloseCode;
  readonly reason?: ReasonCode | undefined;
  readonly retryAfterMs?: number | undefined;
  /** Whether positions and the resume token are good for a return. Default: yes, but for 45xx. */
  readonly resumable?: boolean | undefined;
  readonly positions?: ServerBye['positions'] | undefined;
  readonly manager?: ManagerId | undefined;
  readonly resumeToken?: string | undefined;
  readonly explain?: Explanation | undefined;
  /** Name of the device that the person went on in. */
  readonly label?: string | null | undefined;
  /** An operator's or developer's words. */
  readonly detail?: string | undefined;
}

/** Says goodbye on a transport and starts its close. Best effort: a socket that takes nothing any more shows 1006 to its peer. */
export function sayGoodbye(transport: Transport, f: Farewell): void {
  const { close } = f;
  const retryAfterMs = Math.round(f.retryAfterMs ?? 0);
  const back = returnOf(close.code);
  const text = closeText(close, { retryAfterMs, label: f.label, reason: f.detail });
  const bye: ServerBye = {
    type: 'bye',
    code: close.code,
    name: close.name,
    return: back,
    retryAfterMs,
    reason: f.reason ?? close.name,
    text,
    resumable: f.resumable ?? back !== 'never',
    positions: f.positions ?? [],
    ...(f.manager === undefined ? {} : { manager: f.manager }),
    ...(f.resumeToken === undefined ? {} : { resumeToken: f.resumeToken }),
    ...(f.explain === undefined ? {} : { explain: f.explain }),
  };
  bestEffort(() => {
    transport.send([writeFrame(bye)]);
    transport.end(close.code, closeReason(close, retryAfterMs, f.reason));
  });
}

/** Does something to a transport that is given up in any case. Should it throw, nothing is lost by it: whoever gives it up does not
 *  count on its client's hearing, and its socket is counted until it has closed. */
export function bestEffort(act: () => void): void {
  try {
    act();
  } catch {
    // See above.
  }
}
