import { type AdminClient, AdminProblem } from '../admin/index.ts';

/** Prefix, underline and 20 characters. */
const WHOLE = 24;
/** Managers that are looked through for one whose id is cut off, before the whole id is asked for. */
const PAGES = 20;
const PAGE = 500;

/** The whole id of a manager, of which tables on narrow terminals show the beginning.
 *  @throws AdminProblem if several begin like that, or too many would have to be looked at. An id that fits none comes back as it is. */
export async function wholeManager(client: AdminClient, given: string): Promise<string> {
  const start = beginning(given);
  if (start === null) return given;
  const found: string[] = [];
  let cursor: string | null = null;
  for (let page = 0; page < PAGES; page += 1) {
    const answer: Awaited<ReturnType<AdminClient['managers']>> = await client.managers({ limit: PAGE, ...(cursor === null ? {} : { cursor }) });
    found.push(...answer.managers.map(({ managerId }) => managerId).filter((id) => id.startsWith(start)));
    cursor = answer.nextCursor;
    if (cursor === null) return onlyOne(found, given);
  }
  throw new AdminProblem('not-found', `There are more than ${PAGES * PAGE} managers: give the whole id instead of \`${given}\`.`);
}

/** The same of a cleanup. */
export async function wholeRun(client: AdminClient, given: string): Promise<string> {
  const start = beginning(given);
  if (start === null) return given;
  const { cleanups } = await client.cleanups({ limit: 200 });
  return onlyOne(
    cleanups.map(({ cleanup }) => cleanup.run).filter((run) => run.startsWith(start)),
    given,
  );
}

function beginning(given: string): string | null {
  const bare = given.replace(/(…|\.\.\.)$/, '');
  return /^[a-z]+_[0-9a-z]{4,}$/.test(bare) && bare.length < WHOLE ? bare : null;
}

function onlyOne(found: readonly string[], given: string): string {
  if (found.length <= 1) return found[0] ?? given;
  throw new AdminProblem('not-found', `${found.length} ids begin with \`${given}\`: ${found.slice(0, 3).join(', ')}. Give more of it.`);
}
