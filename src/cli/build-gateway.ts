import { createAccounts } from '../auth/accounts.ts';
import { jwtAuthenticator } from '../auth/jwt.ts';
import type { ServerOptions } from '../core/options.ts';
import { libraryOptions } from '../core/resolve-options.ts';
import { createGateway, type Gateway } from '../gateway/gateway.ts';
import type { GatewayOptions } from '../gateway/gateway-options.ts';
import type { Agent } from '../ports/agent.ts';
import type { Store } from '../ports/store.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import { CHAT_PAGES, hasChatPage } from './chat-pages.ts';
import type { Ground } from './ground.ts';

/** A gateway as the options say, on a ground and a store that are open. It listens nowhere yet. */
export async function buildGateway(options: ServerOptions, ground: Ground, store: Store, telemetry: Telemetry): Promise<Gateway> {
  return createGateway({
    ...libraryOptions(options),
    ...authentication(options, ground, store),
    agent: await agentOf(options, telemetry),
    store,
    signingKey: ground.signingKey,
    adminKey: ground.adminKey.key,
    origins: options.auth.origins,
    telemetry,
    ...(hasChatPage(options) ? { chatPages: CHAT_PAGES } : {}),
  });
}

function authentication(
  { auth, rate }: ServerOptions,
  { signingKey, accounts: users }: Ground,
  store: Store,
): Pick<GatewayOptions, 'authenticate' | 'accounts'> {
  if (users === null) {
    const { jwtSecret, jwksUrl, issuer, audience } = auth;
    return {
      authenticate: jwtAuthenticator({
        ...(jwtSecret === null ? {} : { secret: jwtSecret }),
        ...(jwksUrl === null ? {} : { jwksUrl }),
        ...(issuer === null ? {} : { issuer }),
        ...(audience === null ? {} : { audience }),
      }),
    };
  }
  const { tokenTtlMs, refreshTtlMs } = auth;
  const accounts = createAccounts({ users, signingKey, store: store.credentials, tokenTtlMs, refreshTtlMs, loginsPerMinute: rate.loginsPerMinute });
  return { authenticate: accounts.authenticator, accounts };
}

/** Loaded on use: whoever runs a model need not load the demo agent's handbook, and the other way round. */
async function agentOf({ agent }: ServerOptions, telemetry: Telemetry): Promise<Agent> {
  switch (agent.kind) {
    case 'embedded': {
      const { embeddedAgent } = await import('../agents/embedded/embedded-agent.ts');
      return embeddedAgent();
    }
    case 'openai-compatible': {
      const { modelAgent } = await import('../agents/model.ts');
      const { baseUrl, model, apiKey, system } = agent;
      return modelAgent({
        baseUrl: baseUrl ?? '',
        model: model ?? '',
        ...(apiKey === null ? {} : { apiKey }),
        ...(system === null ? {} : { system }),
        onProblem: ({ code, status, detail }) => telemetry.record({ severity: 'WARNING', event: 'model-failed', message: detail, code, status }),
      });
    }
  }
}
