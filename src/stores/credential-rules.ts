/** How long an expired credential is still known as expired, in milliseconds: a day, so that a machine that slept over night is
 *  told to come back with a new one and not that it forged the old one. */
export const FORGET_AFTER_MS = 86_400_000;
