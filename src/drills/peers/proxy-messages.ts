import type { SocketNews } from './socket-messages.ts';

/** Where it leads to. */
export interface ProxyOrder {
  readonly target: string;
}
/** Where it listens; then what happens to the gateway's side of its sockets. Pings are those for clients that are gone. */
export type ProxyNews = { readonly port: number } | SocketNews;
