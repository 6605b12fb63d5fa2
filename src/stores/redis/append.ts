import type { Random } from '../../ports/random.ts';
import type { AppendAnswer, AppendRecords, AppendRequest, StreamState } from '../../ports/store.ts';
import { SpillwayError } from '../../protocol/errors.ts';
import type { Epoch } from '../../protocol/ids.ts';
import { encodeMessages, joins, threadTimes } from '../append-rules.ts';
import { newEpoch } from '../epochs.ts';
import { takesAll } from './check.ts';
import type { Argument, Connection, ScriptCall } from './connection.ts';
import { spellUser } from './keys.ts';
import type { Always, Persistence } from './persistence.ts';
import { readState, writeHead, writeRun } from './records.ts';
import type { StreamIndex } from './stream-index.ts';
import { nameOf, streamKeys } from './stream-keys.ts';

/** What a script answered, or why it did not. */
type Answer = readonly string[] | SpillwayError;

/** Entries, and characters of them, that are sent at once: what gathered while the server was away is taken piece by piece, each in its own
 *  time. All at once it might never be answered in time, and be sent again each time. */
const ENTRIES_AT_ONCE = 10_000;
const CHARACTERS_AT_ONCE = 8 * 1024 * 1024;

/** What a script cannot know. */
interface Told {
  /** The epoch that begins where the data is not what it was. */
  readonly freshEpoch: Epoch;
  readonly always: Always;
  readonly isTouched: boolean;
}

interface Deps {
  readonly connection: Connection;
  readonly random: Random;
  readonly persistence: Persistence;
  readonly index: StreamIndex;
  /** Who tells of news, so that nobody hears its own. */
  readonly teller: string;
  stateOf(request: AppendRequest): Promise<StreamState>;
}

/** Appends to many streams, one script each, sent at once. Requests of one stream follow each other. */
export function createAppend(deps: Deps): (requests: readonly AppendRequest[]) => Promise<readonly AppendAnswer[]> {
  const { connection, index, persistence } = deps;

  async function round(requests: readonly AppendRequest[]): Promise<readonly AppendAnswer[]> {
    const settled = await send(requests, '', new Set());
    const trouble = await commonTrouble(settled);
    if (trouble !== null) throw trouble;
    await index
      .grown(requests.flatMap(({ key }, i) => (isAnswer(settled[i], 'ok') ? [{ key, bytes: Number(settled[i][1]) }] : [])))
      // The entries are there; their size is noted with the next ones.
      .catch(() => {});
    return Promise.all(settled.map((answer, i) => read(answer, requests[i] as AppendRequest)));
  }

  /** What is everybody's, and not of some streams alone; null without it. */
  async function commonTrouble(settled: readonly Answer[]): Promise<SpillwayError | null> {
    const errors = settled.filter((answer) => SpillwayError.is(answer));
    const [first] = errors;
    if (first === undefined || errors.length < settled.length) return null;
    const passing = errors.find(({ code }) => code !== 'SPILLWAY_STORE_BROKEN');
    return passing ?? ((await takesAll(connection)) ? null : first);
  }

  /** Tells the scripts what they ask for, and sends once more what asked. `touched`: these have just been noted where streams of all users
   *  stand together. */
  async function send(requests: readonly AppendRequest[], always: Always, touched: ReadonlySet<AppendRequest>): Promise<readonly Answer[]> {
    const freshEpoch = newEpoch(deps.random);
    const outcomes = await connection.runAll(
      'stream-append',
      requests.map((request) => encode(deps, request, { freshEpoch, always, isTouched: touched.has(request) })),
      connection.logDeadlineMs,
    );
    const answers = outcomes.map((outcome) => (outcome.ok ? (outcome.answer as Answer) : outcome.error));
    const those = (what: string) => requests.filter((_, i) => isAnswer(answers[i], what));
    const [asking, untouched] = [those('ask'), those('touch')];
    const again = [...asking, ...untouched];
    if (again.length === 0) return answers;
    const later = await sendAgain(asking, untouched, always).catch((error: unknown) => {
      if (!SpillwayError.is(error)) throw error;
      return again.map(() => error);
    });
    return answers.map((answer, i) => later[again.indexOf(requests[i] as AppendRequest)] ?? answer);
  }

  async function sendAgain(asking: readonly AppendRequest[], untouched: readonly AppendRequest[], always: Always): Promise<readonly Answer[]> {
    if (untouched.length > 0) await index.touch(untouched.map(({ key, records }) => ({ key, isOpen: hasOpen(records) })));
    return await send([...asking, ...untouched], asking.length > 0 ? await persistence.always() : always, new Set(untouched));
  }

  async function read(answer: Answer, request: AppendRequest): Promise<AppendAnswer> {
    if (SpillwayError.is(answer)) return { is: 'failed', error: answer };
    const [is] = answer;
    if (is === 'ok' || is === 'repeated' || is === 'fenced') return { is };
    if (is !== 'unknown') return { is: 'conflict', state: readState(answer, 1) };
    try {
      return { is: 'conflict', state: await deps.stateOf(request) };
    } catch (error) {
      if (!SpillwayError.is(error)) throw error;
      return { is: 'failed', error };
    }
  }

  return async (requests) => {
    const answers: AppendAnswer[] = [];
    let waiting = requests.map((request, i) => ({ request, i, name: nameOf(request.key) }));
    while (waiting.length > 0) {
      const [now, later]: [typeof waiting, typeof waiting] = [[], []];
      const names = new Set<string>();
      let [total, characters] = [0, 0];
      for (const one of waiting) {
        const isFull = total >= ENTRIES_AT_ONCE || characters >= CHARACTERS_AT_ONCE;
        (isFull || names.has(one.name) ? later : now).push(one);
        names.add(one.name);
        if (isFull) continue;
        total += one.request.entries.length;
        for (const { data } of one.request.entries) characters += data.length;
      }
      const found = await round(now.map(({ request }) => request));
      for (const [n, { i }] of now.entries()) answers[i] = found[n] as AppendAnswer;
      waiting = later;
    }
    return answers;
  };
}

const isAnswer = (answer: Answer | undefined, what: string): answer is readonly string[] => Array.isArray(answer) && answer[0] === what;

const hasOpen = (records: AppendRecords | undefined): boolean => records?.runs?.some((run) => run.state !== 'ended') === true;

/** A request as its script takes it. */
function encode(deps: Deps, { key, epoch, token, entries, records }: AppendRequest, { freshEpoch, always, isTouched }: Told): ScriptCall {
  const keys = streamKeys(deps.connection.keys, key);
  const messages = encodeMessages(records?.messages ?? []);
  const isStorable = messages !== null && joins(entries);
  const told = isStorable ? entries : [];
  const args: Argument[] = [epoch, token, freshEpoch, always, keys.news, deps.teller, isTouched ? '1' : '0'];
  args.push(isStorable ? told.length : -1, told[0]?.offset ?? 0);
  for (const entry of told) args.push(writeHead(entry), entry.at, entry.data);
  const written = [keys.stream, keys.log, keys.bytes];
  if (records === undefined || !isStorable) return { keys: written, args };
  const times = threadTimes(entries, records);
  args.push(key.thread, records.title ?? '', records.title === undefined ? '' : '1', times?.createdAt ?? '', times?.updatedAt ?? '', messages.length);
  for (const m of messages) args.push(m.id, m.offset, m.complete ? '1' : '0', m.sendId === null ? '' : sendName(m.sendId), m.json);
  args.push(records.runs?.length ?? 0, ...(records.runs ?? []).flatMap(writeRun));
  const { runs, threads, titles } = keys.user;
  return { script: 'stream-record', keys: [...written, keys.open, runs, keys.order, keys.messages, keys.sends, threads, titles], args };
}

/** A client's key of a message, as it is looked up: unambiguous also where no UTF-8 can be made of it. */
export const sendName = (id: string): string => `s${spellUser(id as Parameters<typeof spellUser>[0])}`;
