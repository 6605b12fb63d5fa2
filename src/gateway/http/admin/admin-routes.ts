import { z } from '@hono/zod-openapi';
import { mayAct } from '../../../auth/role-tokens.ts';
import type { OperatorRole } from '../../../ports/events.ts';
import type { HttpContext } from '../http-env.ts';
import { type Problem, problem, problemOf } from '../problems.ts';
import { type Access, type Handler, type Input, type None, RouteBook, type RouteSpec, readInput, type Shape } from '../route-book.ts';
import type { Action } from './audit.ts';
import type { Desk } from './desk.ts';

/** Where the admin API begins, behind the prefix of the gateway. */
export const ADMIN_BASE = '/admin/api/v1';

/** Every path takes it; `app.ts` obeys it. */
const PRETTY = { pretty: z.string().optional().describe('With any value, or none: the answer on many lines, for people.') };

/** What a changing path says of itself, for the audit. */
export interface Changing<P extends Shape, Q extends Shape, B extends z.ZodType> {
  readonly action: Action;
  /** Who may do it. Default: operator. */
  readonly role?: 'operator' | 'admin';
  /** Whom it is about, when what was asked is understood. */
  target(input: Input<P, Q, B>): string;
}

/** What a handler says of what it did, for the audit. */
export interface Report {
  /** What was done, in a sentence, and the managers that lost their seat by it. */
  done(detail: string, freed?: readonly string[]): void;
}

/** The paths of the admin API. Who asks was recognised before any of them is asked. */
export class AdminRoutes extends RouteBook {
  readonly #desk: Desk | null;

  constructor(app: ConstructorParameters<typeof RouteBook>[0], prefix: string, desk: Desk | null) {
    super(app, prefix);
    this.#desk = desk;
  }

  /** A path that changes nothing, for viewers or, with `role`, those above them. `path` is below `/admin/api/v1`. Findings about what was
   *  asked quote it: an operator's input holds no secrets. */
  look<P extends Shape = typeof None, Q extends Shape = typeof None, B extends z.ZodType = typeof None>(
    spec: RouteSpec<P, Q, B> & { readonly role?: OperatorRole },
    handler: Handler<P, Q, B>,
  ): void {
    const role = spec.role ?? 'viewer';
    const full = below(spec, role);
    this.describe(full, accessOf(role));
    this.answer(full, async (c) => {
      const refusal = refusalOf(c, role);
      if (refusal !== null) return problem(c, refusal);
      const input = await readInput(c, full, 'values');
      return input.is === 'ok' ? handler(c, input.value) : problem(c, input.problem);
    });
  }

  /** A path at the root of the port, for programs that look there; `app.ts` asks for the key there too. */
  scrape(spec: RouteSpec, handler: (c: HttpContext) => Response | Promise<Response>): void {
    this.describe(spec, accessOf('viewer'));
    this.answer(spec, async (c) => handler(c));
  }

  /** A path that changes something. Whatever becomes of it, refused or done, is in the audit. */
  change<P extends Shape = typeof None, Q extends Shape = typeof None, B extends z.ZodType = typeof None>(
    spec: RouteSpec<P, Q, B>,
    changing: Changing<P, Q, B>,
    handler: (c: HttpContext, input: Input<P, Q, B>, report: Report) => Response | Promise<Response>,
  ): void {
    const role = changing.role ?? 'operator';
    const full = below(spec, role);
    this.describe(full, accessOf(role));
    this.answer(full, async (c) => {
      let detail = '';
      let freed: readonly string[] = [];
      const done: Report['done'] = (said, whom = []) => {
        detail = said;
        freed = whom;
      };
      const input = await readInput(c, full, 'values');
      const response = await this.#acted(c, role, input, (value) => handler(c, value, { done }));
      const isRefused = response.status >= 400 && response.status < 500;
      const from = c.env?.passedOn?.from;
      // Who only looked whether it is here has changed nothing and was refused nothing.
      if (from !== undefined && response.status === 404) return response;
      this.#desk?.audit.note({
        role: c.get('operator').role,
        action: changing.action,
        target: input.is === 'ok' ? changing.target(input.value) : namedIn(c),
        reason: input.is === 'ok' ? reasonIn(input.value.body) : '',
        outcome: response.ok ? 'done' : isRefused ? 'refused' : 'failed',
        detail: response.ok ? detail : `${c.get('problem').code}: ${c.get('problem').detail ?? ''}`,
        freed,
        request: c.get('requestId'),
        via: from ?? null,
      });
      return response;
    });
  }

  /** Never rejects: what fails becomes a problem, so that it is in the audit too. */
  async #acted<T>(
    c: HttpContext,
    role: OperatorRole,
    input: { readonly is: 'ok'; readonly value: T } | { readonly is: 'problem'; readonly problem: Problem },
    act: (value: T) => Response | Promise<Response>,
  ): Promise<Response> {
    const refusal = refusalOf(c, role) ?? (this.#desk?.readOnly === true ? READ_ONLY : input.is === 'ok' ? null : input.problem);
    if (refusal !== null || input.is !== 'ok') return problem(c, refusal ?? READ_ONLY);
    try {
      return await act(input.value);
    } catch (error) {
      return problemOf(c, error);
    }
  }
}

const READ_ONLY: Problem = {
  code: 'forbidden',
  detail: 'This gateway is read-only for operators, whatever their role: `admin.readOnly` is set. Nothing was changed.',
};

function refusalOf(c: HttpContext, needed: OperatorRole): Problem | null {
  const { role } = c.get('operator');
  if (mayAct(role, needed)) return null;
  return {
    code: 'forbidden',
    detail: `Expected the role \`${needed}\`${needed === 'admin' ? '' : ' or above'}, this token is of the role \`${role}\`. Whoever has the signing key makes another: \`spillway token create --role ${needed}\`.`,
  };
}

const accessOf = (role: OperatorRole): Access => ({
  security: [{ bearer: [] }],
  problems: ['bad-request', 'unauthorized', 'credential-expired', 'origin-denied', ...(role === 'viewer' ? [] : (['forbidden'] as const)), 'internal'],
});

function below<P extends Shape, Q extends Shape, B extends z.ZodType>(spec: RouteSpec<P, Q, B>, role: OperatorRole): RouteSpec<P, Q, B> {
  const query = (spec.query ?? z.strictObject({})).extend(PRETTY) as unknown as Q;
  const path = `${ADMIN_BASE}${spec.path}`;
  return { ...spec, path, query, ...(role === 'viewer' ? {} : { description: `Needs the role \`${role}\`${role === 'admin' ? '' : ' or above'}.` }) };
}

/** What the path names, where the rest of the request is not understood. */
const namedIn = (c: HttpContext): string => Object.values(c.req.param() as Readonly<Record<string, string>>)[0] ?? '';

function reasonIn(body: unknown): string {
  const reason = (body as { readonly reason?: unknown } | undefined)?.reason;
  return typeof reason === 'string' ? reason : '';
}
