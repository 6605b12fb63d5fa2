import { type OpenAPIHono, z } from '@hono/zod-openapi';
import { ERROR_STATUS, type ErrorCode } from '../../protocol/errors.ts';
import { Problem as ProblemSchema } from '../../schemas/bodies.ts';
import { check, type Read, readJson } from './body.ts';
import type { Telling } from './findings.ts';
import type { HttpContext, HttpEnv } from './http-env.ts';
import { problem } from './problems.ts';

export const None = z.object({});
export type Shape = z.ZodObject;

/** One path: what it takes, what it answers. The same schemas check requests and make the OpenAPI document. */
export interface RouteSpec<P extends Shape = typeof None, Q extends Shape = typeof None, B extends z.ZodType = typeof None> {
  readonly method: 'get' | 'post' | 'put' | 'delete';
  /** With parameters as `{id}`, without the prefix. */
  readonly path: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  /** True: no body means `{}`. */
  readonly isBodyOptional?: boolean;
  readonly answer: { readonly status: 200 | 201 | 202 | 204; readonly description: string; readonly schema?: z.ZodType; readonly mediaType?: string };
  /** Those that every path may answer are left out. */
  readonly problems?: readonly ErrorCode[];
}

export interface Input<P extends Shape, Q extends Shape, B extends z.ZodType> {
  readonly params: z.output<P>;
  readonly query: z.output<Q>;
  readonly body: z.output<B>;
}

export type Answer = Response | Promise<Response>;
export type Handler<P extends Shape, Q extends Shape, B extends z.ZodType> = (c: HttpContext, input: Input<P, Q, B>) => Answer;

/** How the document describes who may ask. */
export interface Access {
  readonly security: readonly Readonly<Record<string, string[]>>[];
  /** What every path of this access may answer besides its own problems. */
  readonly problems: readonly ErrorCode[];
}

/** Puts paths into an application and into its OpenAPI document in one step. */
export abstract class RouteBook {
  readonly #app: OpenAPIHono<HttpEnv>;
  readonly #prefix: string;
  readonly #methods = new Map<string, Set<string>>();

  constructor(app: OpenAPIHono<HttpEnv>, prefix: string) {
    this.#app = app;
    this.#prefix = prefix;
  }

  /** A path that anybody may ask. */
  open<P extends Shape = typeof None, Q extends Shape = typeof None, B extends z.ZodType = typeof None>(
    spec: RouteSpec<P, Q, B>,
    handler: Handler<P, Q, B>,
  ): void {
    this.describe(spec, { security: [], problems: ['origin-denied', 'internal'] });
    this.answer(spec, async (c) => {
      const input = await readInput(c, spec);
      return input.is === 'ok' ? handler(c, input.value) : problem(c, input.problem);
    });
  }

  /** A path that is in no document: the document itself. */
  serve(path: string, handler: (c: HttpContext) => Answer): void {
    this.answer({ method: 'get', path }, async (c) => handler(c));
  }

  /** Answers every other method at the paths so far with 405, naming those that are there. Called last. */
  refuseOtherMethods(): void {
    // Paths without parameters first: the others match them too.
    const paths = [...this.#methods].sort(([a], [b]) => Number(a.includes(':')) - Number(b.includes(':')));
    for (const [path, methods] of paths) {
      const allow = [...methods].flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])).join(', ');
      this.#app.all(path, (c) =>
        problem(c, { code: 'method-not-allowed', detail: `Expected one of ${allow} at this path, got ${c.req.method}.`, headers: { allow } }),
      );
    }
  }

  protected answer(spec: Pick<RouteSpec, 'method' | 'path'>, handler: (c: HttpContext) => Promise<Response>): void {
    const path = this.#prefix + spec.path.replace(/\{(\w+)\}/g, ':$1');
    const methods = this.#methods.get(path) ?? new Set();
    this.#methods.set(path, methods.add(spec.method.toUpperCase()));
    this.#app.on(spec.method, path, handler);
  }

  protected describe<P extends Shape, Q extends Shape, B extends z.ZodType>(spec: RouteSpec<P, Q, B>, access: Access): void {
    const { method, path, tag, summary, description, params, query, body, answer } = spec;
    const { schema, mediaType = 'application/json' } = answer;
    const ofBody = body === undefined ? [] : (['bad-request', 'payload-too-large'] as const);
    this.#app.openAPIRegistry.registerPath({
      method,
      path: this.#prefix + path,
      tags: [tag],
      summary,
      ...(description === undefined ? {} : { description }),
      security: [...access.security],
      request: {
        ...(params === undefined ? {} : { params }),
        ...(query === undefined ? {} : { query }),
        ...(body === undefined ? {} : { body: { required: spec.isBodyOptional !== true, content: { 'application/json': { schema: body } } } }),
      },
      responses: {
        [answer.status]: { description: answer.description, ...(schema === undefined ? {} : { content: { [mediaType]: { schema } } }) },
        ...problemAnswers([...access.problems, ...(spec.problems ?? []), ...ofBody]),
      },
    });
  }
}

/** Problems by status; codes that share one are named together. */
function problemAnswers(codes: readonly ErrorCode[]): Record<number, { description: string; content: Record<string, { schema: z.ZodType }> }> {
  const content = { 'application/problem+json': { schema: ProblemSchema } };
  const named = (status: number): string =>
    [...new Set(codes)]
      .filter((code) => ERROR_STATUS[code] === status)
      .map((code) => `\`${code}\``)
      .join(', ');
  return Object.fromEntries(codes.map((code) => ERROR_STATUS[code]).map((status) => [status, { description: named(status), content }]));
}

/** What a request brings, checked; else what is wrong with it. */
export async function readInput<P extends Shape, Q extends Shape, B extends z.ZodType>(
  c: HttpContext,
  spec: RouteSpec<P, Q, B>,
  telling: Telling = 'names',
): Promise<Read<Input<P, Q, B>>> {
  const params = check(spec.params ?? None, c.req.param(), telling);
  if (params.is !== 'ok') return params;
  const query = check(spec.query ?? None, c.req.query(), telling);
  if (query.is !== 'ok') return query;
  const body = spec.body === undefined ? ({ is: 'ok', value: {} } as const) : await readJson(c.req.raw, spec.body, spec.isBodyOptional === true, telling);
  if (body.is !== 'ok') return body;
  return { is: 'ok', value: { params: params.value, query: query.value, body: body.value } as Input<P, Q, B> };
}
