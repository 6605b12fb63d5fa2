import { existsSync } from 'node:fs';
import { Command } from 'commander';
import { SignJWT } from 'jose';
import { createAccessTokens } from '../../auth/access-tokens.ts';
import type { Recognition } from '../../auth/identity.ts';
import { jwtAuthenticator } from '../../auth/jwt.ts';
import { isTier } from '../../auth/tier.ts';
import { readUsersFile } from '../../auth/users-file.ts';
import { readValue } from '../../core/option-values.ts';
import type { ServerOptions } from '../../core/options.ts';
import { SpillwayError } from '../../protocol/errors.ts';
import { isUserId, type Tier, type UserId } from '../../protocol/ids.ts';
import { loadConfiguration } from '../configuration.ts';
import { readSigningKey, signingKeyFile, usersFile } from '../data-folder.ts';
import { EXIT } from '../exit-codes.ts';
import { addOptionFlags, flagLayer } from '../flags.ts';
import { print, printJson, say } from '../terminal.ts';

interface Flags {
  readonly config?: string;
}
interface CreateFlags extends Flags {
  readonly user: string;
  readonly tier?: string;
  readonly ttl: string;
}

/** `spillway token create|verify` */
export function tokenCommand(): Command {
  const token = new Command('token').description('Make and check access tokens');
  const create = new Command('create').description('Prints an access token, signed with `auth.jwtSecret` or else with the key of the data folder');
  create
    .requiredOption('--user <id>', 'whose token it is')
    .option('--tier <tier>', 'tier of the user; default: that of the account, else free')
    .option('--ttl <time>', 'how long it is good', '1h');
  token.addCommand(withFlags(create).action(createToken));
  const verify = new Command('verify').description('Says whose an access token is and until when').argument('<jwt>');
  token.addCommand(withFlags(verify).action(verifyToken));
  return token;
}

const withFlags = (command: Command): Command =>
  addOptionFlags(command.option('-c, --config <file>', 'configuration file'), ['data', 'auth.jwtSecret'], [], '');

const load = async (flags: Flags, command: Command): Promise<ServerOptions> =>
  (await loadConfiguration({ command: 'serve', file: flags.config, flags: flagLayer(command), checked: false })).options;

async function createToken(flags: CreateFlags, command: Command): Promise<void> {
  const options = await load(flags, command);
  const ttl = readValue({ kind: 'ms', default: 0, min: 1_000 }, flags.ttl, true);
  if (!ttl.ok) throw new SpillwayError('SPILLWAY_BAD_OPTION', `Expected \`--ttl\` to be ${ttl.expected}, got \`${flags.ttl}\``);
  if (!isUserId(flags.user)) throw new SpillwayError('SPILLWAY_BAD_OPTION', 'Expected `--user` to be 1 to 256 bytes without control characters');
  if (flags.tier !== undefined && !isTier(flags.tier))
    throw new SpillwayError('SPILLWAY_BAD_OPTION', `Expected \`--tier\` to be the name of a tier, got \`${flags.tier}\``);
  const expiresAt = Date.now() + (ttl.value as number);
  print(
    options.auth.jwtSecret === null
      ? await ownToken(options, flags.user, flags.tier, expiresAt)
      : await issuerToken(options.auth, options.auth.jwtSecret, flags.user, flags.tier, expiresAt),
  );
}

function ownToken(options: ServerOptions, user: UserId, tier: Tier | undefined, expiresAt: number): Promise<string> {
  const file = usersFile(options.data);
  const account = existsSync(file) ? readUsersFile(file).find(({ id }) => id === user) : undefined;
  const identity = { user, name: account?.name ?? user, tier: tier ?? account?.tier ?? 'free', expiresAt, family: null };
  return createAccessTokens(ownKey(options)).mint(identity);
}

function issuerToken(auth: ServerOptions['auth'], secret: string, user: UserId, tier: Tier | undefined, expiresAt: number): Promise<string> {
  const claims = new SignJWT(tier === undefined ? {} : { tier }).setProtectedHeader({ alg: 'HS256', typ: 'JWT' }).setSubject(user);
  claims.setIssuedAt().setExpirationTime(Math.floor(expiresAt / 1_000));
  if (auth.issuer !== null) claims.setIssuer(auth.issuer);
  if (auth.audience !== null) claims.setAudience(auth.audience);
  return claims.sign(new TextEncoder().encode(secret));
}

async function verifyToken(jwt: string, flags: Flags, command: Command): Promise<void> {
  const options = await load(flags, command);
  const answer = await recognise(options, jwt);
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

function ownKey({ data, auth }: ServerOptions): Uint8Array {
  if (auth.jwksUrl !== null) throw new SpillwayError('SPILLWAY_BAD_OPTION', 'Tokens are made by the issuer of `auth.jwksUrl`; only it can sign them');
  if (!existsSync(signingKeyFile(data))) {
    throw new SpillwayError(
      'SPILLWAY_BAD_OPTION',
      `Expected \`auth.jwtSecret\`, or a key in the data folder \`${data}\`, which \`spillway dev\` makes at its first start; found neither`,
    );
  }
  return readSigningKey(data);
}
