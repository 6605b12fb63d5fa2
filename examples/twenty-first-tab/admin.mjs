// Asks the admin API, with the key that the gateway left in its data folder.
import { readFileSync } from 'node:fs';

/** `base`: where operators ask, such as http://127.0.0.1:8788. */
export function adminOf(base, keyFile) {
  const key = process.env.SPILLWAY_ADMIN_TOKEN ?? readFileSync(keyFile, 'utf8').trim();
  return async (path) => {
    const response = await fetch(`${base}/admin/api/v1/${path}`, { headers: { authorization: `Bearer ${key}` } });
    const body = await response.json();
    if (!response.ok) throw new Error(`${path}: ${body.detail ?? body.title}`);
    return body;
  };
}
