import { Hono } from 'hono';
import type { Services } from '../services.ts';

export function createHttpApp(_services: Services, _extras: { readonly chatPages?: string }): Hono {
  return new Hono();
}
