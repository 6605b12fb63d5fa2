import { afterAll } from 'vitest';
import { storeContract } from './store.ts';
import { redisKind } from './store-redis.ts';

const kind = redisKind('redis', false);
afterAll(() => kind[Symbol.asyncDispose]());
storeContract(kind);
