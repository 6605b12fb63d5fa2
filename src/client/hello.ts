/** What a client says first. */

import { type Hello, type Intent, PROTOCOL_VERSION, type ResumeSub } from '../protocol/frames.ts';
import type { Visibility } from '../protocol/messages.ts';
import { startOf } from '../protocol/utf8.ts';
import type { ResumeClaim } from './storage.ts';
import { VERSION } from './version.ts';

export interface HelloFacts {
  readonly token: string | null;
  readonly label: string | undefined;
  readonly intent: Intent;
  readonly visibility: Visibility;
  readonly resume: (ResumeClaim & { readonly subs: readonly ResumeSub[] }) | null | undefined;
}

/** Stays within the gateway's 128 bytes, whatever the alphabet. */
const MAX_LABEL_LENGTH = 42;

export const helloOf = ({ token, label, intent, visibility, resume }: HelloFacts): Hello =>
  // JSON leaves out what is undefined.
  ({
    type: 'hello',
    v: PROTOCOL_VERSION,
    token: token ?? undefined,
    client: { name: 'spillway-client', version: VERSION, label: label && startOf(label, MAX_LABEL_LENGTH) },
    intent,
    visibility,
    resume: resume ?? undefined,
  }) as Hello;
