import type { Command } from 'commander';
import type { LiveConnection, LiveUpdate, ManagerSort, Summary } from '../../admin/index.ts';
import { nearest } from '../../core/nearest.ts';
import { SpillwayError } from '../../protocol/errors.ts';
import { firstOf, liveAt, problemOf, type UpdateOf } from '../live.ts';
import { gatewayCommand, type Job, onGateway } from '../operator-command.ts';
import { TOP_COLUMNS, topLines } from '../output/top.ts';
import { duration } from '../output/words.ts';
import { rowsOf } from '../pages.ts';
import { openScreen } from '../screen.ts';
import { printJson, printTable } from '../terminal.ts';

const SORTS = ['last-ack', 'unacked', 'buffered', 'idle', 'age'] as const satisfies readonly ManagerSort[];
const VERDICTS: readonly string[] = ['healthy', 'idle', 'suspect', 'zombie', 'inactive', 'unknown'];
/** Most rows that a gateway tells at once. */
const MOST = 100;

/** `spillway top` */
export function topCommand(): Command {
  return gatewayCommand('top', 'The sessions of a running gateway, live; in a pipe one look and the end', [
    ['spillway top', 'who has not acknowledged anything for longest'],
    ['spillway top --verdict zombie --sort unacked', 'the dead, and what waits for them'],
    ['spillway top -n 5 | cut -f1', 'ids for a script'],
  ])
    .option('-d <seconds>', 'a new look every so often, from 0.2', '1')
    .option('-n <rows>', `at most so many, up to ${MOST}`, '30')
    .option('--sort <order>', SORTS.join(', '), 'last-ack')
    .option('--user <id>', 'of this user')
    .option('--verdict <verdict>', VERDICTS.join(', '))
    .addHelpText('after', '\nKeys: q ends, s sorts by the next, v shows the next verdict, p pauses.')
    .action(onGateway(top));
}

interface Flags {
  readonly d: string;
  readonly n: string;
  readonly sort: string;
  readonly user?: string;
  readonly verdict?: string;
}

interface Wish {
  readonly everyMs: number;
  readonly rows: number;
  readonly sort: ManagerSort;
  readonly user: string | undefined;
  readonly verdict: string | undefined;
}

async function top(job: Job<Flags>): Promise<void> {
  const wish = wishOf(job.flags);
  // Refusals of the key are told better there than by a socket.
  await job.client.status();
  const live = liveAt(job);
  try {
    await (job.isTerminal ? fullScreen(job, live, wish) : oneLook(job, live, wish));
  } finally {
    live.close();
  }
}

const topicOf = ({ sort, user, verdict, rows }: Wish) =>
  ({
    of: 'managers',
    sort,
    filter: { ...(user === undefined ? {} : { user }), ...(verdict === undefined ? {} : { verdict }) },
    window: { from: 0, size: rows },
  }) as const;

async function oneLook({ json, url }: Job<Flags>, live: LiveConnection, wish: Wish): Promise<void> {
  const [{ summary }, { total, rows }] = await Promise.all([firstOf(live, { of: 'summary' }, url), firstOf<'managers'>(live, topicOf(wish), url)]);
  if (json) printJson({ summary, managers: { total, rows } });
  else printTable(TOP_COLUMNS, rows);
}

/** Follows until `q`. Keys change what is looked at. */
async function fullScreen({ url }: Job<Flags>, live: LiveConnection, first: Wish): Promise<void> {
  let wish = first;
  let summary: Summary | null = null;
  let managers: UpdateOf<'managers'> = { of: 'managers', total: 0, from: 0, rows: [] };
  let isPaused = false;
  let finish = (): void => {};
  let fail = (_problem: unknown): void => {};
  const over = new Promise<void>((resolve, reject) => {
    [finish, fail] = [resolve, reject];
  });
  using screen = openScreen(press, () => draw());
  function noteOf(): string {
    const problem = problemOf(live, url);
    if (problem !== null) return `${problem.detail} Trying again.`;
    const shown = `${wish.verdict ?? 'all'} by ${wish.sort}${wish.user === undefined ? '' : ` of ${wish.user}`}`;
    return `${shown}  ${isPaused ? 'PAUSED' : `every ${duration(wish.everyMs)}`}  q quit  s sort  v verdict  p pause`;
  }
  function draw(): void {
    screen.show(topLines({ welcome: live.welcome, summary, total: managers.total, rows: managers.rows, note: noteOf() }, screen.columns));
  }
  function press(key: string): void {
    if (key === 'q') {
      finish();
      return;
    }
    if (key === 'p') isPaused = !isPaused;
    else if (key === 's') wish = { ...wish, sort: SORTS[(SORTS.indexOf(wish.sort) + 1) % SORTS.length] ?? 'last-ack' };
    else if (key === 'v') wish = { ...wish, verdict: nextVerdict(wish.verdict) };
    else return;
    list.change(topicOf(wish));
    draw();
  }
  const take = (data: LiveUpdate): void => {
    if (isPaused) return;
    if (data.of === 'summary') summary = data.summary;
    else if (data.of === 'managers') managers = data;
  };
  live.watch({ of: 'summary' }, { update: take });
  const list = live.watch(topicOf(wish), { update: take });
  const stopListening = live.onState(() => {
    // A key that is taken away meanwhile is not given back by waiting.
    if (live.state.name === 'refused') fail(problemOf(live, url));
    else draw();
  });
  const timer = setInterval(draw, wish.everyMs);
  const soon = setTimeout(draw, 250);
  try {
    draw();
    await over;
  } finally {
    clearInterval(timer);
    clearTimeout(soon);
    stopListening();
  }
}

function nextVerdict(now: string | undefined): string | undefined {
  return VERDICTS[now === undefined ? 0 : VERDICTS.indexOf(now) + 1];
}

function wishOf({ d, n, sort, user, verdict }: Flags): Wish {
  const seconds = Number(d);
  if (!(seconds >= 0.2 && seconds <= 3_600)) throw new SpillwayError('SPILLWAY_BAD_OPTION', `Expected \`-d\` to be seconds from 0.2 to 3600, got \`${d}\``);
  const by = SORTS.find((one) => one === sort);
  if (by === undefined) throw new SpillwayError('SPILLWAY_BAD_OPTION', oneOf('--sort', SORTS, sort));
  if (verdict !== undefined && !VERDICTS.includes(verdict)) throw new SpillwayError('SPILLWAY_BAD_OPTION', oneOf('--verdict', VERDICTS, verdict));
  return { everyMs: seconds * 1_000, rows: Math.min(MOST, rowsOf(n)), sort: by, user, verdict };
}

function oneOf(flag: string, known: readonly string[], got: string): string {
  const near = nearest(got, known);
  return `Expected \`${flag}\` to be one of ${known.join(', ')}, got \`${got}\`${near === null ? '' : `; did you mean ${near}?`}`;
}
