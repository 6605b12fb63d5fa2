export interface ListenAddress {
  /** Empty: all interfaces. */
  readonly host: string;
  readonly port: number;
}

/** Reads `[host]:port`; an IPv6 host stands in brackets. Null for anything else. */
export function parseListen(text: string): ListenAddress | null {
  const match = /^(\[[0-9a-fA-F:.]+\]|[^:[\]\s]*):(\d{1,5})$/.exec(text);
  if (match === null || Number(match[2]) > 65_535) return null;
  return { host: (match[1] ?? '').replace(/^\[|\]$/g, ''), port: Number(match[2]) };
}

/** Whether only this machine can reach it. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

/** How a browser on this machine gets there. */
export function urlOf({ host, port }: ListenAddress): string {
  if (host === '' || host === '0.0.0.0' || host === '::') return `http://127.0.0.1:${port}`;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
