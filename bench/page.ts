/** `docs/benchmarks.md`, made of committed rows alone. */
import { GOALS, type Goal, type Standing, standingOf } from './goals.ts';
import { detailsOf, short, variantsOf } from './report.ts';
import type { Row } from './row.ts';

const TITLES: Readonly<Record<string, string>> = {
  paced: 'Every connection gets a token 30 times a second.',
  burst8: 'The same number of tokens, eight at a time for one connection, as models behind a proxy send them.',
  max: 'One token for every connection in each turn of the event loop, as fast as it goes.',
  overload: 'Three times as many tokens are asked for, for 30 s, as `ws` reached in `max`.',
  'storm-hs256': 'Connects, 100 under way at once. Spillway verifies a JWT (HS256) that it has not seen before and admits; the others let everybody in.',
  'storm-ticket': 'The same with one-time tickets that were bought before.',
  'storm-resume': 'The same with resume tokens: everybody was there before, and attaches to the seat they have.',
  echo: '50 connections ask 40 times a second in all. The others answer at once; Spillway stores the message, runs an agent and logs its answer.',
  'idle-5000': 'Connections that do nothing; memory each after a collection, and CPU of a second of them all.',
  'idle-19000': 'The same.',
  refill: 'All come, all leave, all come again.',
  unacked: 'Followers of a running answer that acknowledge none of its last 256 tokens; log in SQLite.',
  slow: 'Followers that stopped reading 4,000 tokens ago, above what the same tokens take for followers that keep up; log in SQLite.',
  detached: 'Managers whose clients are gone without a word.',
  evicted: 'Managers that were evicted.',
  queued: 'Connections that wait in their user’s queue.',
  strangers: 'Connections that have begun a first frame of 60 KiB and do not end it, above what they took without it.',
};

/** The page. Throws where there are no rows. */
export function pageOf(rows: readonly Row[]): string {
  const [first] = rows;
  if (first === undefined) throw new Error('Expected rows in bench/results; run scenarios with `--out bench/results/NAME.jsonl` first.');
  const standings = GOALS.map((goal) => standingOf(goal, rows)).filter((standing) => standing !== null);
  return `# Benchmarks

<!-- Made of the rows in bench/results by \`npm run bench -- report\`; measure anew instead of changing it. -->

What Spillway costs beside bare \`ws\`, Socket.IO, and Socket.IO with connection state recovery (\`csr\`) doing the same duty in the same run.
The figure that counts is a **ratio** of server CPU for one unit of work, formed inside each repetition; times are context.

${origin(rows, first)}

## Goals

The interval goes from the k-th smallest to the k-th largest repetition (k = 1 for 6 to 8 of them, 2 for 9 to 11). **Reached**: it ends within the goal.
**Missed**: all of it is beyond. **Open**: it straddles the goal, or there are fewer than six repetitions, which no verdict can rest on.

| # | scenario | what | goal | median | interval | repetitions | verdict |
| --- | --- | --- | --- | --- | --- | --- | --- |
${standings.map(goalLine).join('\n')}

${missing(rows)}## Figures

${variantsOf(rows)
  .map((variant) => section(variant, rows))
  .join('\n\n')}

## How it is measured

- Every repetition runs each peer once, in a fresh process, in an order that rotates; what warms up is not measured.
- Spillway is the built package behind its public exports, with its defaults: tokens verified, evidence kept, acknowledgements, every event logged
  before it is sent (in memory unless a line says SQLite). Tokens come from an agent, one run a connection. A peer is the least code for the
  duty: \`ws.send(JSON.stringify(o))\`, \`emit('m', o)\`, WebSocket only, no compression; \`csr\` sends to a room a connection, since it keeps
  only broadcasts.
- The others send 125 bytes of JSON a token. Spillway sends its whole event with ids and time, which is longer; the column of bytes tells.
- Clients are raw TCP sockets of another process with a parser of their own; Spillway's acknowledge by the rule of the SDK. Each token carries its
  number and the time at which it was due, on a clock that all processes share: latency counts from there. Every token of every connection is
  checked; one that is lost, doubled or out of order fails the run.
- A row is *client-bound* if the generator used more than 0.9 of a core, or more than the server and above half a core. Its CPU counts, its rates and times do not.
  It is *busy* if the load was above the number of cores before it began, or others took more than 5 % of the cores from this machine while it ran.
- Memory is read after collections. \`held\` is heap plus external memory.

\`\`\`
npm run bench -- stream storm echo memory --out bench/results/NAME.jsonl
npm run bench -- report
\`\`\`
`;
}

function origin(rows: readonly Row[], { machine, versions }: Row): string {
  const commits = [...new Set(rows.map(({ commit, dirty }) => `\`${commit}\`${dirty ? ' with changes that were not committed yet' : ''}`))].join(', ');
  const all: Record<string, string> = Object.assign({}, ...rows.map((row) => row.versions), versions);
  const { node, ...others } = all;
  const busy = rows.filter(({ host }) => host.busy).length;
  const dates = rows.map(({ at }) => at.slice(0, 10)).toSorted();
  const [from, to] = [dates[0], dates.at(-1)];
  const told = Object.entries(others)
    .toSorted()
    .map(([name, version]) => `${name} ${version}`)
    .join(', ');
  const quiet =
    busy === 0
      ? 'The host was quiet.'
      : `**${busy} of ${rows.length} rows come from a busy host**: others worked on the same cores, which spreads the figures and flatters servers that put several tokens in one write.`;
  return `Measured ${from === to ? `on ${from}` : `from ${from} to ${to}`} at commit ${commits}: ${machine.cores} cores (${machine.cpu}), ${Math.round(machine.memoryMiB / 1_024)} GiB, Linux ${machine.kernel}, loopback,
no TLS. Node ${node}, ${told}. ${quiet}`;
}

function goalLine({ goal, interval, verdict }: Standing): string {
  const sign = goal.direction === 'at most' ? '≤' : '≥';
  const over = goal.over === null ? '' : ` ÷ ${goal.over}`;
  return `| ${goal.id} | ${goal.variant} | ${goal.what}${over} | ${sign} ${textOf(goal, goal.bound)} | ${textOf(goal, interval.median)} | ${textOf(goal, interval.low)} … ${textOf(goal, interval.high)} | ${interval.of} | ${verdict === 'missed' ? '**missed**' : verdict} |`;
}

function textOf({ unit }: Goal, value: number): string {
  if (unit === 'bytes') return `${short(value)} B`;
  return unit === 'share' ? `${short(value * 100)} %` : value.toFixed(2);
}

function missing(rows: readonly Row[]): string {
  const variants = new Set(rows.map(({ variant }) => variant));
  const gone = [...new Set(GOALS.filter(({ variant }) => !variants.has(variant)).map(({ variant }) => variant))];
  return gone.length === 0 ? '' : `Not measured here: ${gone.join(', ')}.\n\n`;
}

function section(variant: string, rows: readonly Row[]): string {
  const { title, table } = detailsOf(variant, rows);
  const [head = [], ...lines] = table;
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [`### ${variant}`, '', `${TITLES[variant] ?? ''} ${title}`.trim(), '', line(head), line(head.map(() => '---')), ...lines.map(line)].join('\n');
}
