import type { MiddlewareHandler } from 'hono';
import { readBytes } from '../../body.ts';
import type { HttpEnv } from '../../http-env.ts';
import { Asked } from './asked.ts';
import { GATHERINGS } from './gathered.ts';
import { PASSINGS } from './passed-on.ts';
import type { Peers } from './peers.ts';

/** Makes the admin API of one node that of all of them: what is looked at is gathered, what is done is passed on to whom it is about.
 *  Where this node is alone, and for what other nodes ask, the paths behind it answer for themselves. `base`: where the API begins. */
export function acrossNodes(peers: () => Peers | null, base: string): MiddlewareHandler<HttpEnv> {
  return async (c, next) => {
    const found = peers();
    if (found === null || c.env?.passedOn !== undefined || found.others().length === 0) return next();
    const asked = new Asked(c, found, base);
    const path = asked.path.split('?')[0] ?? '';
    if (c.req.method === 'GET' && !c.req.header('accept')?.includes('text/event-stream')) {
      const gathering = GATHERINGS.find((one) => one.path.test(path));
      return gathering === undefined ? next() : await gathering.gather(asked);
    }
    const passing = PASSINGS.find((one) => one.method === c.req.method && one.path.test(path));
    if (passing === undefined) return next();
    const body = await readable(c.req.raw);
    // What is not understood is refused by the path itself.
    if (body === undefined) return next();
    return (await passing.act(asked, body)) ?? next();
  };
}

/** The JSON of a request that can be read again; null for none, undefined for what is no JSON or too long. */
async function readable(request: Request): Promise<unknown> {
  try {
    const bytes = await readBytes(request.clone());
    if (bytes === null) return undefined;
    return bytes.length === 0 ? null : (JSON.parse(Buffer.from(bytes).toString()) as unknown);
  } catch {
    return undefined;
  }
}
