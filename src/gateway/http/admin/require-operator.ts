import type { MiddlewareHandler } from 'hono';
import { bearerOf } from '../../../auth/bearer.ts';
import type { Operators } from '../../../auth/operators.ts';
import type { HttpEnv } from '../http-env.ts';
import { problem } from '../problems.ts';

/** Lets operators in, whoever they are, and says who it is. Nobody else learns what the paths expect. */
export function requireOperator(operators: Operators): MiddlewareHandler<HttpEnv> {
  return async (c, next) => {
    const passedOn = c.env?.passedOn;
    if (passedOn !== undefined) {
      c.set('operator', { role: passedOn.role, expiresAt: null });
      return next();
    }
    const presented = bearerOf(c.req.raw);
    const found = presented === null ? null : await operators.recognise(presented);
    if (found?.is === 'ok') {
      c.set('operator', found.operator);
      return next();
    }
    // The body of somebody who is nobody is never read.
    const leave = c.req.method === 'GET' || c.req.method === 'HEAD' ? {} : { connection: 'close' };
    if (found?.is === 'expired') {
      return problem(c, {
        code: 'credential-expired',
        detail: 'This token of a role has ended. Whoever has the signing key makes another: `spillway token create --role ROLE`.',
        headers: { 'www-authenticate': 'Bearer error="invalid_token", error_description="expired"', ...leave },
      });
    }
    const came = found === null ? 'none came' : 'another one came';
    return problem(c, {
      code: 'unauthorized',
      detail: `Expected the admin key or a token of a role as \`Authorization: Bearer KEY\`, ${came}. The key is the value of \`admin.token\`, else it stands in the file \`admin-key\` of the data folder.`,
      headers: { 'www-authenticate': found === null ? 'Bearer' : 'Bearer error="invalid_token"', ...leave },
    });
  };
}
