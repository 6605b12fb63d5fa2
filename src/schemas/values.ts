/** Schemas of the values that frames and HTTP bodies share. They say what `src/protocol` enforces; a test holds the two together. */

import { z } from 'zod';
import { CODECS } from '../protocol/agent-events.ts';
import { BOUNDS } from '../protocol/frames.ts';
import { isLongerThan, isWellFormed } from '../protocol/utf8.ts';

/** A string of `min` to `max` UTF-8 bytes. JSON Schema counts characters, so its bound is the looser one. */
export const text = (min: number, max: number) =>
  z
    .string()
    .min(min)
    .max(max)
    .refine((value) => !isLongerThan(value, max) && isWellFormed(value), `Expected well-formed text of ${min} to ${max} UTF-8 bytes`);

/** A whole number that JSON keeps exact. */
export const whole = (min: number, max: number = Number.MAX_SAFE_INTEGER) => z.int().min(min).max(max);

/** Milliseconds since the Unix epoch. */
export const instant = whole(0);
/** Milliseconds. */
export const duration = whole(0);

export const ThreadId = z
  .string()
  .regex(/^[A-Za-z0-9._:-]{1,128}$/)
  .meta({ id: 'ThreadId', description: 'A conversation, named by the client; unique within its user only.' });
/** Ids that the gateway made: any short text is looked up, so that a misspelt id and a foreign one get the same answer. */
export const OpaqueId = text(1, 64).meta({ id: 'OpaqueId', description: 'An id that the gateway made, such as `run_…`, `mgr_…` or `msg_…`.' });
export const Epoch = z
  .string()
  .regex(/^[0-9a-z]{1,16}$/)
  .meta({ id: 'Epoch', description: 'Names one life of the offsets of a stream.' });
export const Offset = whole(0).meta({ id: 'Offset', description: 'Place in a stream; the first entry has 1, and 0 is before it.' });
export const Sub = whole(1, BOUNDS.maxSub).meta({ id: 'Sub', description: 'Number of a subscription on its transport, chosen by the client.' });
export const Codec = z.enum(CODECS).meta({ id: 'Codec', description: 'Vocabulary of the events of a run.' });
export const Visibility = z.enum(['visible', 'hidden', 'frozen']).meta({ id: 'Visibility' });
export const Intent = z.enum(['user', 'auto']).meta({ id: 'Intent', description: '`user`: a person acted. `auto`: the program reconnects by itself.' });

export const Position = z
  .object({ epoch: Epoch, offset: Offset })
  .meta({ id: 'Position', description: 'Everything up to and including `offset` has been applied.' });

export const UserInfo = z.object({ id: z.string(), name: z.string(), tier: z.string() }).meta({ id: 'UserInfo' });

const limitsShape = {
  soft: whole(1),
  burst: whole(1),
  used: whole(0).describe('Seats.'),
  effective: whole(0).describe('Seats without the dead ones and those being given up.'),
  sockets: whole(0).describe('Transports that are really open.'),
  queued: whole(0),
  burstUntil: instant.nullable().describe('When a running burst lease ends.'),
  tier: z.string(),
};
export const Limits = z.object(limitsShape).meta({ id: 'Limits', description: 'How much room a user has and uses. Reaching `soft` refuses nobody.' });
export const LimitsFields = limitsShape;
