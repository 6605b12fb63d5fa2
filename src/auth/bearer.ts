/** Longest credential that is looked at, in characters. A JWT is ASCII, so these are bytes too. */
export const CREDENTIAL_MAX_LENGTH = 8_192;

/** The token of `Authorization: Bearer …`. Null without such a header, with another scheme, or with a token that is empty or
 *  longer than any we would read. */
export function bearerOf(request: Request): string | null {
  const header = request.headers.get('authorization');
  const match = header === null ? null : /^bearer +([^\s]+)$/i.exec(header);
  const token = match?.[1];
  return token === undefined || token.length > CREDENTIAL_MAX_LENGTH ? null : token;
}
