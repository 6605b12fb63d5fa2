import { parseArgs } from 'node:util';
import { PEERS, type PeerName } from './peers/peer.ts';
import type { Variant } from './run.ts';
import { ECHO } from './scenarios/echo.ts';
import { MEMORY } from './scenarios/memory.ts';
import { STORM } from './scenarios/storm.ts';
import { STREAM } from './scenarios/stream.ts';

export const VARIANTS: readonly Variant[] = [...STREAM, ...STORM, ...ECHO, ...MEMORY];

export interface Wanted {
  /** `run`: measure the variants. `smoke`: a short look at everything. `report`: make the page out of committed rows. */
  readonly command: 'run' | 'smoke' | 'report';
  readonly variants: readonly Variant[];
  readonly peers: readonly PeerName[];
  readonly reps: number;
  readonly n: number | null;
  /** How long `paced` and `burst8` last; null: 8 s. */
  readonly seconds: number | null;
  readonly out: string | null;
  readonly profiles: string | null;
}

const DEFAULT_REPS = 6;

const scenarios = [...new Set(VARIANTS.map(({ scenario }) => scenario))];
const namesOf = (scenario: string): string =>
  VARIANTS.filter((variant) => variant.scenario === scenario)
    .map(({ name }) => name)
    .join(', ');
const LIST = `There are: ${scenarios.map((scenario) => (namesOf(scenario) === scenario ? scenario : `${scenario} (${namesOf(scenario)})`)).join('; ')}; and smoke or report alone.`;

/** Throws an error that says what there is. */
export function parseArguments(args: readonly string[]): Wanted {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      reps: { type: 'string' },
      peers: { type: 'string' },
      out: { type: 'string' },
      n: { type: 'string' },
      seconds: { type: 'string' },
      profile: { type: 'string' },
    },
  });
  const [first] = positionals;
  const command = first === 'smoke' || first === 'report' ? first : 'run';
  if (first === undefined) throw new Error(`Expected what to measure. ${LIST}`);
  if (command !== 'run' && (positionals.length > 1 || Object.keys(values).length > 0)) throw new Error(`Expected ${command} alone, got more beside it.`);
  return {
    command,
    variants: command === 'run' ? positionals.flatMap(named) : [],
    peers: values.peers === undefined ? PEERS : withSpillway(values.peers.split(',')),
    reps: values.reps === undefined ? DEFAULT_REPS : positive('--reps', values.reps),
    n: values.n === undefined ? null : positive('--n', values.n),
    seconds: values.seconds === undefined ? null : positive('--seconds', values.seconds),
    out: values.out ?? null,
    profiles: values.profile ?? null,
  };
}

function named(name: string): readonly Variant[] {
  const found = VARIANTS.filter((variant) => variant.scenario === name || variant.name === name);
  if (found.length > 0) return found;
  throw new Error(`Expected names of scenarios or of their variants, got ${name}. ${LIST}`);
}

function withSpillway(names: readonly string[]): readonly PeerName[] {
  for (const name of names) if (!PEERS.includes(name as PeerName)) throw new Error(`Expected peers among ${PEERS.join(', ')}, got ${name}.`);
  return PEERS.filter((name) => name === 'spillway' || names.includes(name));
}

function positive(flag: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`Expected ${flag} to be a whole number of at least 1, got ${text}.`);
  return value;
}
