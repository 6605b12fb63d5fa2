import { randomBytes } from 'node:crypto';
import { extname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { SignJWT } from 'jose';
import type { Member } from './crew.ts';
import type { DrillOrder, GatewayAddress } from './order.ts';
import type { Stage } from './stage.ts';

const START_WITHIN_MS = 20_000;
const TOKEN_TTL = '15m';

/** A gateway of a drill's own: the same program with the demo agent, on this machine only, with a store file in the drill's folder. It
 *  can be killed and started again where it was. */
export class OwnGateway {
  readonly #stage: Stage;
  readonly #settings: Readonly<Record<string, string>>;
  readonly #secret = randomBytes(32).toString('base64url');
  readonly #adminKey = randomBytes(32).toString('base64url');
  #listen = '127.0.0.1:0';
  #adminListen = '127.0.0.1:0';
  member: Member | null = null;

  /** `settings`: options by the names of their environment variables. */
  constructor(stage: Stage, settings: Readonly<Record<string, string>> = {}) {
    this.#stage = stage;
    this.#settings = settings;
  }

  get storeFile(): string {
    return join(this.#stage.order.folder, 'spillway.sqlite');
  }

  /** Options of a node of its own on the store that the drill's gateway shares; none where it shares none. */
  static sharing({ sharedStore, id }: DrillOrder, name: string): Readonly<Record<string, string>> {
    if (sharedStore === null) return {};
    const { store, prefix, password } = sharedStore;
    return {
      SPILLWAY_STORE: store,
      SPILLWAY_REDIS_PREFIX: prefix,
      ...(password === null ? {} : { SPILLWAY_REDIS_PASSWORD: password }),
      SPILLWAY_NODE: `drill-${id.slice(-6)}-${name}`,
    };
  }

  /** Starts it, the second time at the same address, and resolves when it listens. */
  async start(settings: Readonly<Record<string, string>> = {}): Promise<GatewayAddress> {
    const { crew, order } = this.#stage;
    const endWithParent = new URL(`./peers/end-with-parent${extname(import.meta.url)}`, import.meta.url).href;
    const member = crew.start(['--import', endWithParent, order.program, 'serve'], {
      folder: order.folder,
      isRead: true,
      environment: {
        SPILLWAY_LISTEN: this.#listen,
        SPILLWAY_ADMIN_LISTEN: this.#adminListen,
        SPILLWAY_ADMIN_TOKEN: this.#adminKey,
        SPILLWAY_AUTH_MODE: 'jwt',
        SPILLWAY_AUTH_JWT_SECRET: this.#secret,
        SPILLWAY_AUTH_ORIGINS: 'http://localhost',
        SPILLWAY_STORE: `sqlite:${this.storeFile}`,
        SPILLWAY_DATA: order.folder,
        SPILLWAY_TIMING: order.options.timing,
        SPILLWAY_LOGGING_FORMAT: 'json',
        SPILLWAY_LOGGING_LEVEL: 'info',
        SPILLWAY_GOLDEN_PATH_EVERY_MS: '0',
        ...this.#settings,
        ...settings,
      },
    });
    this.member = member;
    const { url, admin } = await this.#listening(member);
    this.#listen = new URL(url).host;
    this.#adminListen = new URL(admin).host;
    return { url, adminUrl: admin, adminKey: this.#adminKey };
  }

  /** A token that outlives the drill. */
  token(user: string): Promise<string> {
    const claims = new SignJWT({}).setProtectedHeader({ alg: 'HS256', typ: 'JWT' }).setSubject(user).setIssuedAt().setExpirationTime(TOKEN_TTL);
    return claims.sign(new TextEncoder().encode(this.#secret));
  }

  /** Its log says where it listens. */
  async #listening({ child, isThere }: Member): Promise<{ readonly url: string; readonly admin: string }> {
    let found: { readonly url: string; readonly admin: string } | null = null;
    // Read to its end: whoever does not read what another prints, stops it.
    if (child.stdout !== null) {
      createInterface(child.stdout).on('line', (line) => {
        if (found === null && line.includes('"listening"')) found = JSON.parse(line) as { url: string; admin: string };
      });
    }
    return await this.#stage.needs('a gateway of its own', START_WITHIN_MS, () => {
      if (!isThere()) throw new Error('Expected a gateway of its own to start, but it ended at once.');
      return found;
    });
  }
}
