/** How every screen reaches the gateway. */

import { createContext, useContext } from 'react';
import type { AdminClient, LiveConnection } from 'spillway/admin';

export interface Gateway {
  readonly client: AdminClient;
  readonly live: LiveConnection;
}

export const GatewayContext = createContext<Gateway | null>(null);

export function useGateway(): Gateway {
  const gateway = useContext(GatewayContext);
  if (gateway === null) throw new Error('Expected a GatewayContext around this component.');
  return gateway;
}
