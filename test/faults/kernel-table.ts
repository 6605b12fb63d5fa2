import { readFileSync } from 'node:fs';

/** One end of a connection, as the kernel of the other end names it. */
export interface Remote {
  readonly address: string;
  readonly port: number;
}

export const keyOf = ({ address, port }: Remote): string => `${address}:${port}`;

/** Peers whose connections to `port` some process of this pid's network namespace still holds, whatever TCP state they are in; a
 *  connection that was released may linger there without an owner, and is not among them. */
export function heldBy(pid: number, port: number): ReadonlySet<string> {
  const held = new Set<string>();
  for (const table of ['tcp', 'tcp6']) {
    let text: string;
    try {
      text = readFileSync(`/proc/${pid}/net/${table}`, 'ascii');
    } catch {
      // The process is gone, or this kernel has no IPv6.
      continue;
    }
    for (const line of text.split('\n').slice(1)) {
      const [, local = '', remote = '', , , , , , , inode = '0'] = line.trim().split(/\s+/);
      if (inode !== '0' && Number.parseInt(local.split(':')[1] ?? '', 16) === port) held.add(keyOf(remoteOf(remote)));
    }
  }
  return held;
}

/** `0100007F:1F90`: the address in words of the machine's own byte order, the port in the network's. */
function remoteOf(text: string): Remote {
  const [address = '', port = '0'] = text.split(':');
  // An IPv4 address, or one mapped into IPv6, whose last word it is.
  const word = address.slice(-8);
  const bytes = [6, 4, 2, 0].map((at) => Number.parseInt(word.slice(at, at + 2), 16));
  return { address: bytes.join('.'), port: Number.parseInt(port, 16) };
}
