/** The page's one account, and what the server says about signing in. */

import { useEffect, useState, useSyncExternalStore } from 'react';
import { Account, type AccountState } from './account.ts';
import { call } from './http.ts';

export const account = new Account();

export const useAccount = (): AccountState => useSyncExternalStore(account.subscribe, () => account.state);

export interface ServerConfig {
  readonly auth: { readonly modes: readonly string[] };
  readonly version: string;
  /** Who answers here. */
  readonly agent?: { readonly name: string };
}

const AGAIN_MS = 2_000;

/** What the server says about itself; null until it has answered. It is asked until it does. */
export function useServerConfig(): ServerConfig | null {
  const [config, setConfig] = useState<ServerConfig | null>(null);
  useEffect(() => {
    const ended = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = async (): Promise<void> => {
      try {
        setConfig(await call<ServerConfig>('v1/config', { signal: ended.signal }));
      } catch {
        // Not up yet, or gone: the page works without, and asks again.
        if (!ended.signal.aborted) timer = setTimeout(() => void ask(), AGAIN_MS);
      }
    };
    void ask();
    return () => {
      ended.abort();
      clearTimeout(timer);
    };
  }, []);
  return config;
}
