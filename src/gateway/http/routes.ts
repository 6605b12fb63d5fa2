import { type OpenAPIHono, z } from '@hono/zod-openapi';
import type { Identity } from '../../auth/identity.ts';
import { ERROR_STATUS, type ErrorCode } from '../../protocol/errors.ts';
import { Problem as ProblemSchema } from '../../schemas/bodies.ts';
import { check, type Read, readJson } from './body.ts';
import type { HttpContext, HttpEnv } from './http-env.ts';
import { problem } from './problems.ts';
import { notRecognised, recognise } from './recognise.ts';

const None = z.object({});
type Shape = z.ZodObject;

/** One path: what it takes, what it answers. The same schemas check requests and make the OpenAPI document. */
export interface RouteSpec<P extends Shape = typeof None, Q extends Shape = typeof None, B extends z.ZodType = typeof None> {
  readonly method: 'get' | 'post' | 'delete';
  /** With parameters as `{id}`, without the prefix. */
  readonly path: string;
  readonly tag: string;
  readonly summary: string;
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

type Answer = Response | Promise<Response>;

/** Puts paths into an application and into its OpenAPI document in one step. */
export class Routes {
  readonly #app: OpenAPIHono<HttpEnv>;
  readonly #prefix: string;

  constructor(app: OpenAPIHono<HttpEnv>, prefix: string) {
    this.#app = app;
    this.#prefix = prefix;
  }

  /** A path that anybody may ask. */
  open<P extends Shape = typeof None, Q extends Shape = typeof None, B extends z.ZodType = typeof None>(
    spec: RouteSpec<P, Q, B>,
    handler: (c: HttpContext, input: Input<P, Q, B>) => Answer,
  ): void {
    this.#register(spec, false);
    this.#app.on(spec.method, this.#prefix + spec.path.replace(/\{(\w+)\}/g, ':$1'), async (c) => {
      const input = await readInput(c, spec);
      return input.is === 'ok' ? handler(c, input.value) : problem(c, input.problem);
    });
  }

  /** A path for people who are signed in. Nobody else learns what it expects. */
  forUser<P extends Shape = typeof None, Q extends Shape = typeof None, B extends z.ZodType = typeof None>(
    spec: RouteSpec<P, Q, B>,
    handler: (c: HttpContext, input: Input<P, Q, B>, identity: Identity) => Answer,
  ): void {
    this.#register(spec, true);
    this.#app.on(spec.method, this.#prefix + spec.path.replace(/\{(\w+)\}/g, ':$1'), async (c) => {
      const who = await recognise(c);
      if (who.is !== 'ok') return problem(c, notRecognised(who.is));
      const input = await readInput(c, spec);
      return input.is === 'ok' ? handler(c, input.value, who.identity) : problem(c, input.problem);
    });
  }

  #register(spec: RouteSpec<Shape, Shape, z.ZodType>, isForUser: boolean): void {
    const { method, path, tag, summary, params, query, body, answer } = spec;
    const usual: readonly ErrorCode[] = isForUser
      ? ['bad-request', 'unauthorized', 'credential-expired', 'origin-denied', 'internal']
      : ['origin-denied', 'internal'];
    const { schema, mediaType = 'application/json' } = answer;
    this.#app.openAPIRegistry.registerPath({
      method,
      path: this.#prefix + path,
      tags: [tag],
      summary,
      security: isForUser ? [{ bearer: [] }, { cookie: [] }] : [],
      request: {
        ...(params === undefined ? {} : { params }),
        ...(query === undefined ? {} : { query }),
        ...(body === undefined ? {} : { body: { required: spec.isBodyOptional !== true, content: { 'application/json': { schema: body } } } }),
      },
      responses: {
        [answer.status]: { description: answer.description, ...(schema === undefined ? {} : { content: { [mediaType]: { schema } } }) },
        ...problemAnswers([...usual, ...(spec.problems ?? []), ...(body === undefined ? [] : (['bad-request', 'payload-too-large'] as const))]),
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

async function readInput<P extends Shape, Q extends Shape, B extends z.ZodType>(c: HttpContext, spec: RouteSpec<P, Q, B>): Promise<Read<Input<P, Q, B>>> {
  const params = check(spec.params ?? None, c.req.param());
  if (params.is !== 'ok') return params;
  const query = check(spec.query ?? None, c.req.query());
  if (query.is !== 'ok') return query;
  const body = spec.body === undefined ? ({ is: 'ok', value: {} } as const) : await readJson(c.req.raw, spec.body, spec.isBodyOptional === true);
  if (body.is !== 'ok') return body;
  return { is: 'ok', value: { params: params.value, query: query.value, body: body.value } as Input<P, Q, B> };
}
