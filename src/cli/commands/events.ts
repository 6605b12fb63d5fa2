import { setTimeout as delay } from 'node:timers/promises';
import { Command } from 'commander';
import { type AdminClient, type AdminEvent, AdminProblem, type EventsQuery } from '../../admin/index.ts';
import { SpillwayError } from '../../protocol/errors.ts';
import { gatewayCommand, type Job, onGateway } from '../operator-command.ts';
import { eventLine } from '../output/events.ts';
import { rowsOf } from '../pages.ts';
import { print, printNdjson, say } from '../terminal.ts';
import { sinceOf } from '../times.ts';

/** `spillway events tail` */
export function eventsCommand(): Command {
  const events = new Command('events').description('What happens, as it happens');
  events.addCommand(
    gatewayCommand('tail', 'Events as they happen, one a line; in a pipe each is a JSON object', [
      ['spillway events tail', 'everything, until Ctrl-C'],
      ['spillway events tail --user alice --since 10min', 'of one user, with what was'],
      ["spillway events tail --type cleanup-finished | jq '.data.victims[].reason'", 'for programs'],
    ])
      .option('--type <type>', 'of this type, such as admission-ended or verdict-changed')
      .option('--user <id>', 'about this user')
      .option('--reason <code>', 'with this reason code')
      .option('--since <time>', 'begins with those since then: an instant, or how long ago')
      .option('--sample <share>', 'one in so many, such as 1/10')
      .option('-n <events>', 'ends after so many')
      .action(onGateway(tail)),
  );
  return events;
}

type Flags = {
  readonly type?: string;
  readonly user?: string;
  readonly reason?: string;
  readonly since?: string;
  readonly sample?: string;
  readonly n?: string;
};

const RETRY_MS = 1_000;
const ASK_EVERY_MS = 500;
const AT_ONCE = 1_000;

/** Behind which events of all nodes to go on. */
interface Place {
  cursor: string | null;
}

async function* ofAllNodes(client: AdminClient, filter: EventsQuery, signal: AbortSignal, place: Place): AsyncGenerator<AdminEvent> {
  if (place.cursor === null) {
    const first = await client.events({ ...filter, limit: filter.since === undefined ? 1 : AT_ONCE });
    place.cursor = first.nextCursor;
    if (filter.since !== undefined) yield* first.events;
  }
  while (!signal.aborted) {
    await delay(ASK_EVERY_MS, undefined, { signal }).catch(() => {});
    const page = await client.events({ ...filter, cursor: place.cursor, limit: AT_ONCE });
    place.cursor = page.nextCursor;
    yield* page.events;
  }
}

async function tail({ client, isTerminal, flags }: Job<Flags>): Promise<void> {
  const { type, user, reason, since } = flags;
  const oneIn = sampleOf(flags.sample);
  const most = flags.n === undefined ? Number.POSITIVE_INFINITY : rowsOf(flags.n);
  const filter = {
    ...(type === undefined ? {} : { type }),
    ...(user === undefined ? {} : { user }),
    ...(reason === undefined ? {} : { reason }),
    ...(since === undefined ? {} : { since: sinceOf(since) }),
  };
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  // Whoever reads us has seen enough.
  process.stdout.once('error', () => stop.abort());
  // A gateway streams its own; of several together it is asked again and again.
  const isAlone = (await client.nodes()).nodes.length === 1;
  const place: Place = { cursor: null };
  let [after, seen, shown]: [number | undefined, number, number] = [undefined, 0, 0];
  if (oneIn > 1) say(`one event in ${oneIn} is shown`);
  while (!stop.signal.aborted) {
    try {
      const { signal } = stop;
      const stream: AsyncIterable<AdminEvent> = isAlone
        ? client.watchEvents(filter, { signal, ...(after === undefined ? {} : { after }) })
        : ofAllNodes(client, filter, signal, place);
      for await (const event of stream) {
        after = event.id;
        seen += 1;
        if ((seen - 1) % oneIn !== 0) continue;
        if (isTerminal) print(eventLine(event));
        else printNdjson(event);
        shown += 1;
        if (shown >= most) return;
      }
      say('the gateway ended the stream; asking again');
    } catch (error) {
      if (stop.signal.aborted) return;
      // The first time it is an error of the call; later the gateway was there and may come back.
      if (after === undefined && seen === 0) throw error;
      if (!AdminProblem.is(error) && !(error instanceof TypeError)) throw error;
    }
    await delay(RETRY_MS, undefined, { signal: stop.signal }).catch(() => {});
  }
}

function sampleOf(text: string | undefined): number {
  if (text === undefined) return 1;
  const match = /^1\/([1-9]\d{0,5})$/.exec(text);
  if (match !== null) return Number(match[1]);
  throw new SpillwayError('SPILLWAY_BAD_OPTION', `Expected \`--sample\` to be one in so many, such as 1/10, got \`${text}\``);
}
