import type { Tier } from '../protocol/ids.ts';

const TIER = /^[A-Za-z0-9._-]{1,32}$/;

/** Whether a text can name a tier. Tiers that no option names count as the lightest, so any name is good. */
export const isTier = (value: unknown): value is Tier => typeof value === 'string' && TIER.test(value);
