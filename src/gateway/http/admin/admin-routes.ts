import { z } from '@hono/zod-openapi';
import type { HttpContext } from '../http-env.ts';
import { problem } from '../problems.ts';
import { type Access, type Handler, type None, RouteBook, type RouteSpec, readInput, type Shape } from '../route-book.ts';

/** Where the admin API begins, behind the prefix of the gateway. */
export const ADMIN_BASE = '/admin/api/v1';

/** Every path takes it; `app.ts` obeys it. */
const PRETTY = { pretty: z.string().optional().describe('With any value, or none: the answer on many lines, for people.') };

const FOR_OPERATORS: Access = { security: [{ bearer: [] }], problems: ['bad-request', 'unauthorized', 'origin-denied', 'internal'] };

/** The paths of the admin API. The key was looked at before any of them is asked. */
export class AdminRoutes extends RouteBook {
  /** `path` is below `/admin/api/v1`. Findings about what was asked quote it: an operator's input holds no secrets. */
  forOperator<P extends Shape = typeof None, Q extends Shape = typeof None, B extends z.ZodType = typeof None>(
    spec: RouteSpec<P, Q, B>,
    handler: Handler<P, Q, B>,
  ): void {
    const query = (spec.query ?? z.strictObject({})).extend(PRETTY) as unknown as Q;
    const full = { ...spec, path: `${ADMIN_BASE}${spec.path}`, query };
    this.describe(full, FOR_OPERATORS);
    this.answer(full, async (c) => {
      const input = await readInput(c, full, 'values');
      return input.is === 'ok' ? handler(c, input.value) : problem(c, input.problem);
    });
  }
}

/** Something an operator changed, for the log. */
export interface OperatorAct {
  readonly action: 'free-user' | 'evict-manager' | 'run-cleanup';
  /** In the operator's words. */
  readonly reason: string;
  /** A user, a manager or a plan. */
  readonly target: string;
  readonly freed: readonly string[];
}

/** Leaves a record of what an operator did. */
export function recordAct(c: HttpContext, { action, reason, target, freed }: OperatorAct): void {
  const { telemetry } = c.get('services');
  const message = `An operator freed ${freed.length} ${freed.length === 1 ? 'seat' : 'seats'}: ${reason}`;
  telemetry.record({ severity: 'INFO', event: 'operator-acted', message, action, reason, target, freed, request: c.get('requestId') });
}
