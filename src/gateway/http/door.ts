import type { IncomingMessage, ServerResponse } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import type { Telemetry } from '../../ports/telemetry.ts';
import type { HttpEnv } from './http-env.ts';

/** HTTP as `node:http` and as the web has it. */
export interface Door {
  readonly handler: (request: IncomingMessage, response: ServerResponse) => void;
  fetch(request: Request): Promise<Response>;
}

/** Both ways into an application. A request that cannot even be answered with a problem is recorded and cut off. */
export function doorOf(app: { fetch(request: Request, env?: HttpEnv['Bindings']): Response | Promise<Response> }, telemetry: Telemetry): Door {
  const listener = getRequestListener((request, { incoming }) => app.fetch(request, { incoming: incoming as IncomingMessage }), {
    overrideGlobalObjects: false,
  });
  return {
    handler(request, response) {
      listener(request, response).catch((error: unknown) => {
        telemetry.record({ severity: 'ERROR', event: 'request-failed', message: error instanceof Error ? error.message : String(error) });
        response.destroy();
      });
    },
    fetch: async (request) => await app.fetch(request),
  };
}
