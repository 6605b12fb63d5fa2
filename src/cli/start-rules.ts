import { ADMIN_KEY_RULE, isAdminKey } from '../auth/admin-key.ts';
import { shownValue } from '../core/option-names.ts';
import type { ServerOptions } from '../core/options.ts';
import { isLoopback, parseListen } from './listen-address.ts';
import { STORE_FORMS, storeAddress } from './store-address.ts';

/** HS256 is as strong as its secret, up to here (RFC 7518 §3.2). */
const SECRET_MIN_BYTES = 32;
const MAKE_SECRET = '`openssl rand -base64 32`';

/** What forbids a start although every single option is fine. */
export function startProblems(options: ServerOptions, command: 'dev' | 'serve'): readonly string[] {
  const problems: string[] = [];
  const { auth, admin, agent, alerts, goldenPath, listen, node, rate, redis, signingKey, store, workers } = options;
  const address = parseListen(listen);
  if (address === null) problems.push(`Expected \`listen\` to be \`[host]:port\`, such as \`:8787\` or \`127.0.0.1:8787\`, got \`${listen}\``);
  if (auth.mode === 'dev' && address !== null && !isLoopback(address.host)) {
    problems.push(
      `\`auth.mode: dev\` has accounts with known passwords, so it listens on this machine only: set \`listen\` to \`127.0.0.1:${address.port}\`, or \`auth.mode\` to \`jwt\``,
    );
  }
  const adminAddress = parseListen(admin.listen);
  if (adminAddress === null) problems.push(`Expected \`admin.listen\` to be \`[host]:port\`, such as \`127.0.0.1:8788\`, got \`${admin.listen}\``);
  if (admin.token === null && adminAddress !== null && !isLoopback(adminAddress.host)) {
    problems.push(
      `\`admin.listen: ${admin.listen}\` can be reached from elsewhere, so it needs \`admin.token\`; or listen on \`127.0.0.1:${adminAddress.port}\`. A key: ${MAKE_SECRET}`,
    );
  }
  if (address !== null && adminAddress !== null && address.port !== 0 && address.port === adminAddress.port && address.host === adminAddress.host) {
    problems.push(`Expected \`admin.listen\` to be another address than \`listen\`, got \`${admin.listen}\` for both: operators have a port of their own`);
  }
  if (admin.token !== null && !isAdminKey(admin.token)) {
    problems.push(`Expected \`admin.token\` to be ${ADMIN_KEY_RULE}, got ${admin.token.length} characters. Make one: ${MAKE_SECRET}`);
  }
  if (command === 'serve' && auth.origins.length === 0) {
    problems.push('Expected `auth.origins` to name the pages that may connect, such as `https://chat.example.com`; got none');
  }
  if (auth.mode === 'jwt' && (auth.jwtSecret === null) === (auth.jwksUrl === null)) {
    problems.push('`auth.mode: jwt` needs exactly one of `auth.jwtSecret` and `auth.jwksUrl` to check tokens with');
  }
  if (auth.mode === 'jwt' && auth.jwtSecret !== null && Buffer.byteLength(auth.jwtSecret) < SECRET_MIN_BYTES) {
    problems.push(
      `Expected \`auth.jwtSecret\` to be at least ${SECRET_MIN_BYTES} bytes, got ${Buffer.byteLength(auth.jwtSecret)}: whoever sees a token can try out shorter ones. Make one, for your issuer and for here: ${MAKE_SECRET}`,
    );
  }
  if (agent.kind === 'openai-compatible') {
    if (agent.baseUrl === null) problems.push('`agent.kind: openai-compatible` needs `agent.baseUrl`, such as `http://127.0.0.1:11434/v1`');
    if (agent.model === null) problems.push('`agent.kind: openai-compatible` needs `agent.model`, as the endpoint spells it');
  }
  // The URL itself is a secret.
  if (alerts.webhook !== null && !/^https?:$/.test(URL.parse(alerts.webhook)?.protocol ?? ''))
    problems.push('Expected `alerts.webhook` to be an address that begins with https:// or http://');
  const walks = goldenPath.everyMs === 0 ? 0 : Math.ceil(60_000 / goldenPath.everyMs);
  if (auth.mode === 'dev' && walks > rate.loginsPerMinute)
    problems.push(
      `\`goldenPath.everyMs: ${goldenPath.everyMs}\` logs in ${walks} times a minute, and \`rate.loginsPerMinute\` allows ${rate.loginsPerMinute}: walk less often, or allow more`,
    );
  const kept = storeAddress(options);
  if (kept === null) problems.push(`Expected \`store\` to be ${STORE_FORMS}; got \`${String(shownValue(store))}\``);
  else if (workers > 1 && kept.is !== 'redis')
    problems.push(
      `\`workers: ${workers}\` needs a store that processes can share, got \`${store}\`: set \`store\` to the address of a Redis or Valkey, such as \`redis://127.0.0.1:6379\``,
    );
  if (node !== null && !/^[A-Za-z0-9_.-]{1,60}$/.test(node))
    problems.push(`Expected \`node\` to be 1 to 60 letters, digits, \`_\`, \`.\` and \`-\`, got \`${node}\``);
  if (!/^[A-Za-z0-9_.-]{1,64}$/.test(redis.prefix))
    problems.push(`Expected \`redis.prefix\` to be 1 to 64 letters, digits, \`_\`, \`.\` and \`-\`, got \`${redis.prefix}\``);
  if (signingKey !== null && signingKey.length < SECRET_MIN_BYTES)
    problems.push(`Expected \`signingKey\` to be at least ${SECRET_MIN_BYTES} characters, got ${signingKey.length}. Make one: ${MAKE_SECRET}`);
  return problems;
}
