import type { ThreadMessage } from '../../../src/client/index.ts';

/** What the page of a tab tells its maker. */
export type TabSaid =
  /** Its timer has fired. */
  | { readonly is: 'tick'; readonly visibility: string }
  | { readonly is: 'applied'; readonly epoch: string; readonly from: number; readonly to: number; readonly data: unknown }
  | { readonly is: 'ack'; readonly sub: number; readonly offset: number }
  | {
      readonly is: 'gap';
      readonly epoch: string;
      readonly from: number;
      readonly to: number;
      readonly reason: string;
      readonly snapshot: { readonly to: number; readonly messages: readonly ThreadMessage[] } | null;
    }
  | { readonly is: 'dial'; readonly intent: string }
  | { readonly is: 'close'; readonly code: number; readonly reason: string }
  | { readonly is: 'state'; readonly name: string; readonly manager?: string; readonly how?: string }
  | { readonly is: 'error'; readonly text: string };
