import { createAccounts } from '../auth/accounts.ts';
import { jwtAuthenticator } from '../auth/jwt.ts';
import type { ServerOptions } from '../core/options.ts';
import { libraryOptions } from '../core/resolve-options.ts';
import type { ConfigurationEntry } from '../gateway/configuration.ts';
import { createGateway, type Gateway } from '../gateway/gateway.ts';
import type { GatewayOptions } from '../gateway/gateway-options.ts';
import type { Agent } from '../ports/agent.ts';
import type { DrillBoard } from '../ports/drills.ts';
import type { Store } from '../ports/store.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import { CHAT_PAGES, DASHBOARD_PAGES, hasChatPage, hasDashboard } from './chat-pages.ts';
import type { GoldenAccess } from './golden-path/access.ts';
import { answeringGoldenPath } from './golden-path/agent.ts';
import type { Ground } from './ground.ts';

/** A gateway as the options say, on a ground and a store that are open. It listens nowhere yet. */
export async function buildGateway(
  options: ServerOptions,
  ground: Ground,
  store: Store,
  telemetry: Telemetry,
  drills: DrillBoard | null,
  golden: GoldenAccess,
  configuration: readonly ConfigurationEntry[],
): Promise<Gateway> {
  return createGateway({
    ...libraryOptions(options),
    ...authentication(options, ground, store, golden),
    agent: await answering(options, golden, telemetry),
    alerts: alertsOf(options, golden),
    store,
    ...(options.node === null ? {} : { node: options.node }),
    signingKey: ground.signingKey,
    adminKey: ground.adminKey.key,
    adminReadOnly: options.admin.readOnly,
    configuration,
    origins: options.auth.origins,
    telemetry,
    ...(drills === null ? {} : { drills }),
    ...(hasChatPage(options) ? { chatPages: CHAT_PAGES } : {}),
    ...(hasDashboard(options) ? { dashboardPages: DASHBOARD_PAGES } : {}),
  });
}

function authentication(
  { auth, rate }: ServerOptions,
  { signingKey, accounts: people }: Ground,
  store: Store,
  golden: GoldenAccess,
): Pick<GatewayOptions, 'authenticate' | 'accounts'> {
  if (people === null) {
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
  const users = golden.is === 'on' && golden.account !== null ? [...people, golden.account] : people;
  const { tokenTtlMs, refreshTtlMs } = auth;
  const accounts = createAccounts({ users, signingKey, store: store.credentials, tokenTtlMs, refreshTtlMs, loginsPerMinute: rate.loginsPerMinute });
  return { authenticate: accounts.authenticator, accounts };
}

const alertsOf = ({ alerts, goldenPath }: ServerOptions, golden: GoldenAccess): NonNullable<GatewayOptions['alerts']> => ({
  ...(alerts.webhook === null ? {} : { webhook: alerts.webhook }),
  ...(golden.is === 'off' || goldenPath.everyMs === 0 ? {} : { goldenPathEveryMs: goldenPath.everyMs }),
});

/** Who answers people; and by default somebody else answers the golden path, without a pause. */
async function answering(options: ServerOptions, golden: GoldenAccess, telemetry: Telemetry): Promise<Agent> {
  const own = await agentOf(options, telemetry);
  if (golden.is === 'off' || (options.goldenPath.agent === 'own' && options.agent.kind !== 'embedded')) return own;
  const { embeddedAgent } = await import('../agents/embedded/embedded-agent.ts');
  return answeringGoldenPath(own, embeddedAgent({ pace: { wordsPerSecond: Number.POSITIVE_INFINITY, stepMs: 0 } }), golden.user);
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
