import type { z } from 'zod';
import { BOUNDS } from '../../protocol/frames.ts';
import { isDeeperThan } from '../../protocol/utf8.ts';
import { findingsIn, type Telling } from './findings.ts';
import type { Problem } from './problems.ts';

/** Largest body of a request. */
export const BODY_MAX_BYTES = 1_048_576;

export type Read<T> = { readonly is: 'ok'; readonly value: T } | { readonly is: 'problem'; readonly problem: Problem };

const refused = (problem: Problem): { readonly is: 'problem'; readonly problem: Problem } => ({ is: 'problem', problem });
const badRequest = (detail: string) => refused({ code: 'bad-request', detail });

/** What a client is told whose body is over the bound; `Connection: close`, for the rest of the body is never read. */
export const TOO_LARGE: Problem = {
  code: 'payload-too-large',
  detail: `Expected a body of at most ${BODY_MAX_BYTES} bytes.`,
  headers: { connection: 'close' },
};

/** Reads a JSON body and checks it by `schema`. No body at all counts as `{}` where `isOptional`. */
export async function readJson<S extends z.ZodType>(request: Request, schema: S, isOptional: boolean, telling: Telling = 'names'): Promise<Read<z.output<S>>> {
  const bytes = await readBytes(request);
  if (bytes === null) return refused(TOO_LARGE);
  if (bytes.length === 0 && isOptional) return check(schema, {}, telling);
  const type = request.headers.get('content-type') ?? '';
  if (!/^application\/(json|[\w.+-]+\+json)\s*(;|$)/i.test(type)) return badRequest('Expected a body of the type `application/json`.');
  let value: unknown;
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    if (isDeeperThan(text, BOUNDS.depth)) return badRequest(`Expected JSON nested at most ${BOUNDS.depth} deep.`);
    value = JSON.parse(text);
  } catch {
    // The parser's own message quotes the text, which may hold a password.
    return badRequest('Expected the body to be JSON in UTF-8.');
  }
  return check(schema, value, telling);
}

/** Checks any value from outside by its schema. */
export function check<S extends z.ZodType>(schema: S, value: unknown, telling: Telling = 'names'): Read<z.output<S>> {
  const found = schema.safeParse(value);
  return found.success ? { is: 'ok', value: found.data } : badRequest(findingsIn(found.error.issues, value, telling));
}

/** The whole body; null when it is larger than the bound, whatever its headers said. */
export async function readBytes(request: Request): Promise<Uint8Array | null> {
  if (Number(request.headers.get('content-length') ?? 0) > BODY_MAX_BYTES) return null;
  if (request.body === null) return new Uint8Array(0);
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = request.body.getReader();
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    size += read.value.length;
    if (size > BODY_MAX_BYTES) {
      // Not waited for: of a copy it ends only with the original.
      void reader.cancel().catch(() => {});
      return null;
    }
    chunks.push(read.value);
  }
  return Buffer.concat(chunks);
}
