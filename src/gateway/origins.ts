import { SpillwayError } from '../protocol/errors.ts';

/** Which pages may speak to the gateway. */
export interface OriginPolicy {
  /** `own` is the origin of the request's own URL. `absent`: no `Origin` header, as programs other than browsers send none. */
  judge(request: { readonly origin: string | null; readonly own: string }): 'allowed' | 'absent' | 'denied';
}

/** Allows the gateway's own pages and those of `allow`, compared as scheme, host and port, never by prefix or pattern. An opaque
 *  origin (`null`) is denied always. Throws one `SpillwayError` naming every entry of `allow` that is no origin. */
export function createOriginPolicy({ allow }: { readonly allow: readonly string[] }): OriginPolicy {
  const wrong = allow.filter((entry) => originOf(entry) === null);
  if (wrong.length > 0) {
    const got = wrong.map((entry) => `"${entry}"`).join(', ');
    throw new SpillwayError(
      'SPILLWAY_BAD_OPTION',
      `Expected every allowed origin to be a scheme, a host and perhaps a port, such as https://chat.example.com, got ${got}. Wildcards, paths and "null" are not allowed.`,
    );
  }
  const allowed = new Set(allow.map(originOf));
  return {
    judge({ origin, own }) {
      if (origin === null) return 'absent';
      const asked = originOf(origin);
      if (asked === null) return 'denied';
      return allowed.has(asked) || asked === originOf(own) ? 'allowed' : 'denied';
    },
  };
}

const ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/[^/?#@*\s\\]+\/?$/i;

/** Scheme, host and port in one spelling (lower case, default port left out); null for what is no origin. */
function originOf(text: string): string | null {
  if (!ORIGIN.test(text) || !URL.canParse(text)) return null;
  const { protocol, host } = new URL(text);
  return host === '' ? null : `${protocol}//${host}`;
}
