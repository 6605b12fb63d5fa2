import type { Stall } from '../../support/lab/time.ts';
import type { Progress } from '../../support/lossless/recorder.ts';

/** What a process of clients is told about one of them. */
export type HostCommand =
  | {
      readonly do: 'open';
      readonly client: number;
      readonly url: string;
      readonly token: string;
      readonly thread: string;
      /** Where it writes what it applied; its next life goes on there. */
      readonly file: string;
      /** Divides the client's own times. */
      readonly divisor: number;
      /** Says how late each event came. */
      readonly measures: boolean;
    }
  /** Its listener's promises do not settle any more; or again. */
  | { readonly do: 'stick'; readonly client: number; readonly on: boolean }
  /** Its acknowledgements do not leave any more; or again. Everything else does. */
  | { readonly do: 'mute'; readonly client: number; readonly on: boolean }
  /** Sends a frame that is no sign of life, this often; 0: no more. */
  | { readonly do: 'chatter'; readonly client: number; readonly everyMs: number }
  /** Blocks the thread of its page: for good, or most of each cycle; or no more. Pages only. */
  | { readonly do: 'freeze'; readonly client: number; readonly on: boolean; readonly awakeMs?: number; readonly cycleMs?: number }
  | { readonly do: 'close'; readonly client: number };

/** What a process says of one of its clients; client −1: of itself. */
export type HostSaid =
  | { readonly client: number; readonly is: 'progress'; readonly progress: Progress }
  | { readonly client: number; readonly is: 'late'; readonly ms: number }
  /** The page's own clock stood still, and so many pings were answered meanwhile. */
  | { readonly client: number; readonly is: 'frozen'; readonly pongs: number }
  | { readonly client: number; readonly is: 'closed' }
  /** The process could not run meanwhile. */
  | { readonly client: number; readonly is: 'stall'; readonly stall: Stall };
