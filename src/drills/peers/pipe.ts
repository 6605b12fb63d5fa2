import { Socket } from 'node:net';
import { createInterface } from 'node:readline';

/** Where a pipe to another process of the drill is, by the order in which it was given. */
const PIPE = 4;

/** What a page wants of the process that has its sockets, and what that one tells. `id` names a socket. */
export type ToSockets = { readonly id: number } & (
  | { readonly open: string; readonly protocols: string | readonly string[] }
  | { readonly send: string }
  | { readonly close: true }
);
export type ToPage = { readonly id: number } & (
  | { readonly opened: true }
  | { readonly data: string }
  | { readonly closed: { readonly code: number; readonly reason: string } }
);

export interface Pipe<Out> {
  write(message: Out): void;
}

/** Opens it. What comes is told line by line; its end is the end of this process. */
export function openPipe<In, Out>(hear: (message: In) => void): Pipe<Out> {
  const socket = new Socket({ fd: PIPE, readable: true, writable: true });
  socket.on('error', () => {});
  socket.once('close', () => process.exit());
  createInterface(socket).on('line', (line) => hear(JSON.parse(line) as In));
  return { write: (message) => void socket.write(`${JSON.stringify(message)}\n`) };
}
