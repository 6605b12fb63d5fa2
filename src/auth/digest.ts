import { createHash, hkdfSync } from 'node:crypto';

/** SHA-256 as base64url. Credentials of ours are stored under it, never as they are; they are random, so no salt is needed. */
export const digestOf = (credential: string): string => createHash('sha256').update(credential).digest('base64url');

/** A key of 32 bytes for one purpose, so that what one purpose signs never verifies for another. */
export const deriveKey = (key: Uint8Array, purpose: string): Uint8Array =>
  new Uint8Array(hkdfSync('sha256', key, new Uint8Array(0), `spillway ${purpose}`, 32));

/** 256 random bits as 43 characters of base64url. */
export const spellCredential = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');

const CREDENTIAL = /^[A-Za-z0-9_-]{43}$/;

/** Whether a text can be a credential that `spellCredential` made. What cannot is refused without asking the store. */
export const isCredential = (text: string): boolean => CREDENTIAL.test(text);
