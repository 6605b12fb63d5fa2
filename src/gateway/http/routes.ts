import type { z } from '@hono/zod-openapi';
import type { Identity } from '../../auth/identity.ts';
import type { HttpContext } from './http-env.ts';
import { problem } from './problems.ts';
import { notRecognised, recognise } from './recognise.ts';
import { type Access, type Answer, type Input, type None, RouteBook, type RouteSpec, readInput, type Shape } from './route-book.ts';

const FOR_USERS: Access = {
  security: [{ bearer: [] }, { cookie: [] }],
  problems: ['bad-request', 'unauthorized', 'credential-expired', 'origin-denied', 'internal'],
};

/** The public paths. */
export class Routes extends RouteBook {
  /** A path for people who are signed in. Nobody else learns what it expects. */
  forUser<P extends Shape = typeof None, Q extends Shape = typeof None, B extends z.ZodType = typeof None>(
    spec: RouteSpec<P, Q, B>,
    handler: (c: HttpContext, input: Input<P, Q, B>, identity: Identity) => Answer,
  ): void {
    this.describe(spec, FOR_USERS);
    this.answer(spec, async (c) => {
      const who = await recognise(c);
      if (who.is !== 'ok') return problem(c, notRecognised(who.is));
      const input = await readInput(c, spec);
      return input.is === 'ok' ? handler(c, input.value, who.identity) : problem(c, input.problem);
    });
  }
}
