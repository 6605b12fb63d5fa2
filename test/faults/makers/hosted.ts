import { join } from 'node:path';
import { Host, type HostedClient, type HostScript } from '../clients/host.ts';
import type { MakeOptions, Subject, Target } from '../row.ts';

export interface HostedOptions {
  readonly script?: HostScript;
  /** Where it dials, if not at the gateway itself: `ws://…`. */
  readonly url?: string;
  readonly measures?: boolean;
  /** Name of its file; default: its thread. */
  readonly file?: string;
}

const shared = new WeakMap<Target, Map<string, Host>>();

/** The process of clients of this name; all that ask for it share it. Ends with `endShared`. */
export function sharedHost(target: Target, name: string, script: HostScript = 'host-process.ts'): Host {
  let hosts = shared.get(target);
  if (hosts === undefined) {
    hosts = new Map();
    shared.set(target, hosts);
  }
  let host = hosts.get(name);
  if (host === undefined) {
    host = new Host(script);
    hosts.set(name, host);
  }
  return host;
}

export async function endShared(target: Target): Promise<void> {
  await Promise.all([...(shared.get(target)?.values() ?? [])].map((host) => host[Symbol.asyncDispose]()));
  shared.delete(target);
}

export const wsUrlOf = (url: string): string => `${url.replace(/^http/, 'ws')}/v1/ws`;
export const portOf = (url: string): number => Number(new URL(url).port);

/** A recording client in this process; resolves when it is seated. */
export async function openIn(host: Host, o: MakeOptions, how: HostedOptions = {}): Promise<HostedClient> {
  return await host.open({
    url: how.url ?? wsUrlOf(o.target.url),
    token: await o.target.token(o.user),
    thread: o.thread,
    file: join(o.target.folder, `${how.file ?? o.thread}.jsonl`),
    divisor: o.target.times.divisor,
    measures: how.measures ?? false,
  });
}

const clients = new WeakMap<Subject, () => HostedClient>();

/** The hosted client behind a subject, for what its file does not tell; null for others. */
export const clientOf = (subject: Subject): HostedClient | null => clients.get(subject)?.() ?? null;

/** What all subjects with a hosted client have in common. `client` is asked again each time: a new life is another one. */
export function hostedSubject(o: MakeOptions, client: () => HostedClient, own: Pick<Subject, 'breaks' | 'proof' | 'heals'> & Partial<Subject>): Subject {
  const subject: Subject = {
    user: o.user,
    thread: o.thread,
    manager: () => client().manager,
    sockets: () => client().sockets,
    file: client().file,
    stalls: () => client().host.stalls,
    async [Symbol.asyncDispose]() {
      await client().close();
    },
    ...own,
  };
  clients.set(subject, client);
  return subject;
}
