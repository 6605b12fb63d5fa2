import { createHmac, timingSafeEqual } from 'node:crypto';
import { SpillwayError } from '../protocol/errors.ts';
import { BOUNDS } from '../protocol/frames.ts';
import { isGeneratedId, isUserId, type ManagerId, type Tier, type UserId } from '../protocol/ids.ts';
import { deriveKey } from './digest.ts';

/** What a resume token says. The user's name is left out: it is long and nobody is recognised by it. */
export interface ResumeClaims {
  readonly user: UserId;
  readonly tier: Tier;
  readonly manager: ManagerId;
  /** Number of the attach that it was minted for; an older one marks a token that was renewed since. */
  readonly serial: number;
  /** When the credential that it grew from ends, milliseconds since the Unix epoch. Readers compare it themselves. */
  readonly authExpiresAt: number;
  /** The log-in it grew from. */
  readonly family: string | null;
  /** The kept place that a 41xx farewell named. */
  readonly promise: string | null;
}

/** Makes and reads the opaque text with which a client finds its manager again. Nothing is stored for it. */
export interface ResumeTokens {
  /** At most 512 bytes, ASCII. Throws a `SpillwayError` if the claims do not fit or hold control characters. */
  mint(claims: ResumeClaims): string;
  /** The claims of a token that this key minted, whenever that was; null for everything else. */
  read(text: string): ResumeClaims | null;
}

const PREFIX = 'rt1';
/** Half of HMAC-SHA-256, the least that RFC 2104 recommends: a user id of 256 bytes needs the room. */
const MAC_BYTES = 16;
const SEPARATOR = '\n';
const TOKEN = /^rt1[A-Za-z0-9_-]+$/;

/** `key` is the node's signing key; the same one on every node and over restarts keeps tokens good. */
export function createResumeTokens(key: Uint8Array): ResumeTokens {
  // A MAC and no signature: only gateways read these tokens, and checking one costs microseconds on the way of every reconnect.
  const macKey = deriveKey(key, 'resume token');
  const macOf = (payload: Uint8Array): Uint8Array => createHmac('sha256', macKey).update(payload).digest().subarray(0, MAC_BYTES);

  return {
    mint(claims) {
      const payload = Buffer.from(write(claims));
      const token = PREFIX + Buffer.concat([macOf(payload), payload]).toString('base64url');
      if (token.length > BOUNDS.resumeTokenBytes) {
        throw new SpillwayError(
          'SPILLWAY_BAD_ARGUMENT',
          `Expected a resume token of at most ${BOUNDS.resumeTokenBytes} bytes, got ${token.length}. Shorter user ids or tier names help.`,
        );
      }
      return token;
    },

    read(text) {
      if (text.length > BOUNDS.resumeTokenBytes || !TOKEN.test(text)) return null;
      const bytes = Buffer.from(text.slice(PREFIX.length), 'base64url');
      if (bytes.length <= MAC_BYTES) return null;
      const payload = bytes.subarray(MAC_BYTES);
      return timingSafeEqual(bytes.subarray(0, MAC_BYTES), macOf(payload)) ? parse(payload.toString()) : null;
    },
  };
}

/** One claim a line, numbers in base 36, nothing for null: JSON would double the quotes of a user id and burst the bound. */
function write(claims: ResumeClaims): string {
  const { user, tier, manager, serial, authExpiresAt, family, promise } = claims;
  const lines = [user, tier, manager.slice('mgr_'.length), serial.toString(36), Math.floor(authExpiresAt).toString(36), family ?? '', promise ?? ''];
  if (lines.some((line) => line.includes(SEPARATOR))) {
    throw new SpillwayError('SPILLWAY_BAD_ARGUMENT', 'Expected claims of a resume token without line breaks.');
  }
  return lines.join(SEPARATOR);
}

/** Reads what `write` wrote. Lines beyond the known ones are those of a newer version and are ignored. */
function parse(text: string): ResumeClaims | null {
  const [user, tier, manager, serial, authExpiresAt, family, promise] = text.split(SEPARATOR);
  if (tier === undefined || manager === undefined || serial === undefined || authExpiresAt === undefined) return null;
  const id = `mgr_${manager}`;
  if (!isUserId(user) || !isGeneratedId('mgr', id)) return null;
  return {
    user,
    tier,
    manager: id as ManagerId,
    serial: Number.parseInt(serial, 36),
    authExpiresAt: Number.parseInt(authExpiresAt, 36),
    family: family || null,
    promise: promise || null,
  };
}
