import { existsSync } from 'node:fs';
import { Command } from 'commander';
import { createAccessTokens } from '../../auth/access-tokens.ts';
import type { Recognition } from '../../auth/identity.ts';
import { jwtAuthenticator } from '../../auth/jwt.ts';
import { isRole, mintRoleToken, ROLES, verifyRoleToken } from '../../auth/role-tokens.ts';
import { isTier } from '../../auth/tier.ts';
import { nearest } from '../../core/nearest.ts';
import { readValue } from '../../core/option-values.ts';
import type { ServerOptions } from '../../core/options.ts';
import { SpillwayError } from '../../protocol/errors.ts';
import { isUserId, type Tier, type UserId } from '../../protocol/ids.ts';
import { loadConfiguration } from '../configuration.ts';
import { readSigningKey, signingKeyFile, signingKeyFrom, usersFile } from '../data-folder.ts';
import { EXIT } from '../exit-codes.ts';
import { addOptionFlags, flagLayer } from '../flags.ts';
import { issuerToken } from '../issuer-token.ts';
import { withExamples } from '../operator-command.ts';
import { print, printJson, say } from '../terminal.ts';

interface Flags {
  readonly config?: string;
  readonly json?: true;
}
interface CreateFlags extends Flags {
  readonly user?: string;
  readonly role?: string;
  readonly tier?: string;
  readonly ttl: string;
}

/** `spillway token create|verify` */
export function tokenCommand(): Command {
  const token = new Command('token').description('Make and check access tokens, of users and of operators');
  const create = new Command('create').description(
    'Prints a token: of a user, signed with `auth.jwtSecret` or else with the key of the data folder; or of an operator, for the admin API',
  );
  withExamples(create, [
    ['spillway token create --user ada --ttl 10min', 'to connect as a user'],
    ['spillway token create --role viewer --ttl 8h', 'to look at the dashboard and change nothing'],
  ]);
  create
    .option('--user <id>', 'whose token it is')
    .option('--role <role>', 'of an operator: viewer looks, operator frees seats and starts drills, admin may do everything')
    .option('--tier <tier>', 'tier of the user; default: that of the account, else free')
    .option('--ttl <time>', 'how long it is good', '1h')
    .option('--json', 'as JSON');
  token.addCommand(withFlags(create).action(createToken));
  const verify = withExamples(new Command('verify').description('Says whose a token is and until when'), [
    ['spillway token verify eyJ…', 'of a user or of an operator'],
  ]).argument('<jwt>');
  token.addCommand(withFlags(verify).action(verifyToken));
  return token;
}

const withFlags = (command: Command): Command =>
  addOptionFlags(command.option('-c, --config <file>', 'configuration file'), ['data', 'auth.jwtSecret', 'signingKey'], [], '');

const load = async (flags: Flags, command: Command): Promise<ServerOptions> =>
  (await loadConfiguration({ command: 'serve', file: flags.config, flags: flagLayer(command), checked: false })).options;

async function createToken(flags: CreateFlags, command: Command): Promise<void> {
  const options = await load(flags, command);
  const ttl = readValue({ kind: 'ms', default: 0, min: 1_000 }, flags.ttl, true);
  if (!ttl.ok) throw new SpillwayError('SPILLWAY_BAD_OPTION', `Expected \`--ttl\` to be ${ttl.expected}, got \`${flags.ttl}\``);
  const expiresAt = Date.now() + (ttl.value as number);
  const token = flags.role === undefined ? await userToken(options, flags, expiresAt) : await roleToken(options, flags, expiresAt);
  if (flags.json) printJson({ token, expiresAt: new Date(expiresAt).toISOString() });
  else print(token);
}

async function userToken(options: ServerOptions, { user, tier }: CreateFlags, expiresAt: number): Promise<string> {
  if (user === undefined)
    throw new SpillwayError('SPILLWAY_BAD_OPTION', 'Expected `--user ID`, whose token it is, or `--role viewer|operator|admin`, got neither');
  if (!isUserId(user)) throw new SpillwayError('SPILLWAY_BAD_OPTION', 'Expected `--user` to be 1 to 256 bytes without control characters');
  if (tier !== undefined && !isTier(tier)) throw new SpillwayError('SPILLWAY_BAD_OPTION', `Expected \`--tier\` to be the name of a tier, got \`${tier}\``);
  return options.auth.jwtSecret === null
    ? await ownToken(options, user, tier, expiresAt)
    : await issuerToken(options.auth, options.auth.jwtSecret, user, tier, expiresAt);
}

/** Signed with the key of the data folder, whoever makes the tokens of users. */
async function roleToken({ data, signingKey }: ServerOptions, { role, user, tier }: CreateFlags, expiresAt: number): Promise<string> {
  if (user !== undefined || tier !== undefined)
    throw new SpillwayError('SPILLWAY_BAD_OPTION', 'Expected `--role` alone: an operator is no user and has no tier');
  if (!isRole(role)) {
    const near = nearest(role ?? '', ROLES);
    throw new SpillwayError(
      'SPILLWAY_BAD_OPTION',
      `Expected \`--role\` to be one of ${ROLES.join(', ')}, got \`${role}\`${near === null ? '' : `; did you mean ${near}?`}`,
    );
  }
  return mintRoleToken(keyOf({ data, signingKey }), { role, expiresAt });
}

async function ownToken(options: ServerOptions, user: UserId, tier: Tier | undefined, expiresAt: number): Promise<string> {
  const { readUsersFile } = await import('../../auth/users-file.ts');
  const file = usersFile(options.data);
  const account = existsSync(file) ? readUsersFile(file).find(({ id }) => id === user) : undefined;
  const identity = { user, name: account?.name ?? user, tier: tier ?? account?.tier ?? 'free', expiresAt, family: null };
  return createAccessTokens(ownKey(options)).mint(identity);
}

async function verifyToken(jwt: string, flags: Flags, command: Command): Promise<void> {
  const options = await load(flags, command);
  const signingKey = signingKeyFrom(options.signingKey) ?? (existsSync(signingKeyFile(options.data)) ? readSigningKey(options.data) : null);
  const ofOperator = signingKey === null ? null : await verifyRoleToken(signingKey, jwt);
  if (ofOperator?.is === 'ok') return printJson({ role: ofOperator.role, expiresAt: new Date(ofOperator.expiresAt).toISOString() });
  const answer = ofOperator?.is === 'expired' ? ofOperator : await recognise(options, jwt);
  if (answer.is !== 'ok') {
    say(answer.is === 'expired' ? 'expired: it was good once' : 'invalid: forged, malformed, or made with another key');
    process.exitCode = EXIT.failed;
    return;
  }
  const { user, name, tier, expiresAt } = answer.identity;
  printJson({ user, name, tier, expiresAt: new Date(expiresAt).toISOString() });
}

async function recognise(options: ServerOptions, jwt: string): Promise<Recognition> {
  const { auth } = options;
  if (!/^[\w.-]+$/.test(jwt)) return { is: 'invalid' };
  if (auth.jwtSecret === null && auth.jwksUrl === null) return createAccessTokens(ownKey(options)).verify(jwt);
  const check = jwtAuthenticator({
    ...(auth.jwtSecret === null ? {} : { secret: auth.jwtSecret }),
    ...(auth.jwksUrl === null ? {} : { jwksUrl: auth.jwksUrl }),
    ...(auth.issuer === null ? {} : { issuer: auth.issuer }),
    ...(auth.audience === null ? {} : { audience: auth.audience }),
  });
  return check.recognise(new Request('http://localhost/', { headers: { authorization: `Bearer ${jwt}` } }));
}

function ownKey({ data, auth, signingKey }: ServerOptions): Uint8Array {
  if (auth.jwksUrl !== null) throw new SpillwayError('SPILLWAY_BAD_OPTION', 'Tokens are made by the issuer of `auth.jwksUrl`; only it can sign them');
  return keyOf({ data, signingKey }, '`auth.jwtSecret`, or ');
}

function keyOf({ data, signingKey }: Pick<ServerOptions, 'data' | 'signingKey'>, orElse = ''): Uint8Array {
  const given = signingKeyFrom(signingKey);
  if (given !== null) return given;
  if (existsSync(signingKeyFile(data))) return readSigningKey(data);
  throw new SpillwayError(
    'SPILLWAY_BAD_OPTION',
    `Expected ${orElse}\`signingKey\`, or a key in the data folder \`${data}\`, which \`spillway dev\` makes at its first start; found ${orElse === '' ? 'none' : 'neither'}`,
  );
}
