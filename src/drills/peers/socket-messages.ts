/** What a process that has the sockets of others says of them. */
export type SocketNews = { readonly socket: number } & (
  | { readonly answered: 'ping' }
  | { readonly closed: { readonly code: number; readonly reason: string } }
);
