import type { StreamKey } from '../ports/store.ts';

/** User ids hold no control characters, so that no two keys are spelled alike. */
export const nameOf = (key: StreamKey): string => `${key.user}\u0000${key.thread}`;
