import type { Context } from 'hono';
import type { Operator } from '../../auth/operators.ts';
import type { OperatorRole } from '../../ports/events.ts';
import type { NodeId } from '../../protocol/ids.ts';
import type { Services } from '../services.ts';
import type { Problem } from './problems.ts';

/** What travels with a request through the routes. */
export interface HttpEnv {
  /** Given by the node server; absent where the application calls `fetch` itself. */
  Bindings: {
    readonly incoming?: { readonly socket: { readonly remoteAddress?: string | undefined } };
    /** An operator's request that another node has recognised and passed on. No request from outside brings it. */
    readonly passedOn?: { readonly role: OperatorRole; readonly request: string; readonly from: NodeId };
  };
  Variables: {
    /** `req_…`, the `instance` of a problem and the id in the log. */
    requestId: string;
    services: Services;
    /** Of the `Origin` header; denied ones never get as far as a route. */
    origin: 'allowed' | 'absent';
    /** Who asks the admin API; set before any of its paths is asked. */
    operator: Operator;
    /** With what it was refused, if it was. */
    problem: Problem;
  };
}

export type HttpContext = Context<HttpEnv>;

/** Scheme, host and port under which this request reached us. */
export const ownOrigin = (c: HttpContext): string => new URL(c.req.url).origin;
