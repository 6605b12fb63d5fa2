export type Server = 'ws' | 'socket.io';

/** What a server process says. Times in `nowMs()`. */
export type ServerSaid =
  | { readonly is: 'listening'; readonly port: number }
  | { readonly is: 'came' | 'gone'; readonly user: string; readonly socket: number; readonly at: number };

/** How a client process is started: its one argument. */
export interface ClientConfig {
  readonly server: Server;
  readonly url: string;
  readonly user: string;
  readonly divisor: number;
  /** In a thread of its own, which can be blocked while another one has the socket. */
  readonly isPage: boolean;
}
export type ClientSaid = { readonly is: 'got'; readonly number: number } | { readonly is: 'connected' } | { readonly is: 'ended' };
export type ClientCommand = 'freeze' | 'thaw';
