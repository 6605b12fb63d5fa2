/** How the connection stands, whether figures on the screen are of now, and whether a person has stopped them. */

import { createContext, useContext, useSyncExternalStore } from 'react';
import type { LiveState, LiveWelcome } from 'spillway/admin';
import { useGateway } from './gateway.ts';

export function useLiveState(): LiveState {
  const { live } = useGateway();
  return useSyncExternalStore(
    (changed) => live.onState(changed),
    () => live.state,
  );
}

/** What the gateway said of itself; null before the first connection. */
export function useWelcome(): LiveWelcome | null {
  const { live } = useGateway();
  return useSyncExternalStore(
    (changed) => live.onState(changed),
    () => live.welcome,
  );
}

/** Whether a person has stopped the figures; set by the shell. */
export const PauseContext = createContext(false);
export const usePaused = (): boolean => useContext(PauseContext);

/** Whether what is shown is what the gateway says now. */
export function useIsFresh(): boolean {
  return useLiveState().name === 'live';
}

export interface Rights {
  /** May act as an operator here; null: yes, else the reason why not. */
  readonly operate: string | null;
  /** The same for what only administrators may do. */
  readonly administer: string | null;
}

/** What this key may change, with the reason for what it may not. */
export function useRights(): Rights {
  const welcome = useWelcome();
  if (welcome === null) return { operate: 'not connected yet', administer: 'not connected yet' };
  if (welcome.readOnly) {
    const why = 'this gateway is read-only (admin.readOnly)';
    return { operate: why, administer: why };
  }
  const why = (needs: string): string => `your key has the role ${welcome.role}; this needs ${needs}`;
  return {
    operate: welcome.role === 'viewer' ? why('operator') : null,
    administer: welcome.role === 'admin' ? null : why('admin'),
  };
}
