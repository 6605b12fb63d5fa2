import { type AdminClient, AdminProblem, type AlertStatus, type Summary } from '../admin/index.ts';
import { SpillwayError } from '../protocol/errors.ts';
import { firstUpdate } from './live.ts';
import type { CheckResult, CheckState, CheckValue } from './output/check.ts';
import { count, duration } from './output/words.ts';
import type { Target } from './target.ts';
import { durationOf } from './times.ts';

/** From where on a figure is bad; seconds for times. */
export interface Limits {
  readonly warning?: number;
  readonly critical?: number;
}

interface Check {
  readonly does: string;
  /** What its thresholds are compared with. */
  readonly measures: string;
  readonly parse: (flag: string, text: string) => number;
  readonly run: (target: Target, limits: Limits) => Promise<Omit<CheckResult, 'check'>>;
}

const seconds = (flag: string, text: string): number => durationOf(flag, text) / 1_000;
function number(flag: string, text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new SpillwayError('SPILLWAY_BAD_OPTION', `Expected \`${flag}\` to be a whole number, got \`${text}\``);
}

export const CHECKS = {
  'golden-path': { does: 'logs in, asks and gets the whole answer', measures: 'time of the whole answer (10s, 60s)', parse: seconds, run: goldenPath },
  cleanup: { does: 'frees what is dead, and finds time to', measures: 'time since the watch last came round (15s, 30s)', parse: seconds, run: cleanup },
  lockouts: { does: 'nobody was locked out', measures: 'lockouts within 24 hours (1, 1)', parse: number, run: lockouts },
  store: { does: 'the store takes writes, and takes them fast', measures: 'latency of the slowest node’s store (100ms, 1s)', parse: seconds, run: store },
  node: { does: 'lives and is ready', measures: 'time of its answer (1s, 5s)', parse: seconds, run: node },
} as const satisfies Readonly<Record<string, Check>>;

export type CheckName = keyof typeof CHECKS;

const ORDER: readonly CheckState[] = ['ok', 'warning', 'unknown', 'critical'];
const worst = (...states: readonly CheckState[]): CheckState => ORDER[Math.max(...states.map((state) => ORDER.indexOf(state)))] ?? 'unknown';

/** A figure with its limits: those of the flags, else these. */
function figure(name: string, unit: CheckValue['unit'], value: number, limits: Limits, warning: number, critical: number): CheckValue {
  return { name, unit, value, warning: limits.warning ?? warning, critical: limits.critical ?? critical };
}
const stateOf = ({ value, warning, critical }: CheckValue): CheckState =>
  critical !== undefined && value >= critical ? 'critical' : warning !== undefined && value >= warning ? 'warning' : 'ok';

/** How old the last run of the golden path may be. It runs every 30 s unless the options say otherwise. */
const GOLDEN_OLD_MS = 300_000;

async function goldenPath(target: Target, limits: Limits): Promise<Omit<CheckResult, 'check'>> {
  const summary = await summaryOf(target);
  const path = summary.goldenPath;
  if (path === null) {
    return {
      state: 'unknown',
      message:
        'the gateway has not walked its golden path yet, or it is off: goldenPath.everyMs is 0, or an external issuer makes the tokens and goldenPath.token is not set',
      values: [],
    };
  }
  const ageMs = Math.max(0, summary.at - path.at);
  const age: CheckValue = { name: 'age', unit: 's', value: ageMs / 1_000 };
  if (!path.ok) return { state: 'critical', message: `a person would not have got a whole answer ${duration(ageMs)} ago`, values: [age] };
  const took = figure('answer', 's', (path.ms ?? 0) / 1_000, limits, 10, 60);
  const state = worst(stateOf(took), ageMs > GOLDEN_OLD_MS ? 'warning' : 'ok');
  return { state, message: `the whole answer came within ${duration(path.ms)}, ${duration(ageMs)} ago`, values: [took, age] };
}

async function cleanup({ client }: Target, limits: Limits): Promise<Omit<CheckResult, 'check'>> {
  const [status, alerts] = await Promise.all([client.status(), firing(client)]);
  const ofCleanup = alerts.filter(({ alert }) => /Cleanup|Force|Zombie|Sweeper|Quarantine|Mismatch|Regret/.test(alert));
  const byAlerts = worst('ok', ...ofCleanup.map(({ severity }): CheckState => (severity === 'page' ? 'critical' : 'warning')));
  if (status.cleanupHeartbeat === null) return { state: worst(byAlerts, 'unknown'), message: 'the watch has not come round yet', values: [] };
  const beat = figure('since_watch', 's', Math.max(0, status.at - status.cleanupHeartbeat) / 1_000, limits, 15, 30);
  const zombies: CheckValue = { name: 'zombies', unit: '', value: status.managersByVerdict.zombie };
  const failed: CheckValue = { name: 'failed_cleanups', unit: '', value: status.failedCleanups };
  const said = ofCleanup.map(({ alert, summary }) => `${alert}: ${summary}`).join('; ');
  const message = `${said === '' ? '' : `${said}; `}the watch came round ${duration(beat.value * 1_000)} ago, ${count(zombies.value)} zombies now`;
  return { state: worst(byAlerts, stateOf(beat)), message, values: [beat, zombies, failed] };
}

async function lockouts(target: Target, limits: Limits): Promise<Omit<CheckResult, 'check'>> {
  const summary = await summaryOf(target);
  const today = figure('lockouts_24h', '', summary.lockouts.last24h, limits, 1, 1);
  const total: CheckValue = { name: 'lockouts', unit: '', value: summary.lockouts.total };
  const message =
    today.value === 0 ? 'nobody was locked out within 24 hours' : `${count(today.value)} within 24 hours: spillway events tail --type lockout --since 1d`;
  return { state: stateOf(today), message, values: [today, total] };
}

async function store({ client }: Target, limits: Limits): Promise<Omit<CheckResult, 'check'>> {
  const [ready, { nodes }] = await Promise.all([health(client, '/readyz'), client.nodes()]);
  const broken = ready.checks.find(({ name, ok }) => name === 'store' && !ok);
  if (broken !== undefined) return { state: 'critical', message: broken.detail ?? 'the store cannot be used', values: [] };
  const measured = nodes.map(({ storeMs }) => storeMs).filter((ms) => ms !== null);
  if (measured.length === 0) return { state: 'ok', message: 'the store can be used; its latency is not measured yet', values: [] };
  const latency = figure('latency', 's', Math.max(...measured) / 1_000, limits, 0.1, 1);
  return { state: stateOf(latency), message: `the store answers within ${duration(latency.value * 1_000)}`, values: [latency] };
}

/** Needs no key, so that a container can look at itself. Nobody there is what it looks for, so that is critical. */
async function node({ client }: Target, limits: Limits): Promise<Omit<CheckResult, 'check'>> {
  const began = performance.now();
  try {
    const live = await health(client, '/livez');
    const took = figure('answer', 's', (performance.now() - began) / 1_000, limits, 1, 5);
    const ready = await health(client, '/readyz');
    const wrong = [...live.checks, ...ready.checks].filter(({ ok }) => !ok);
    if (live.status !== 'ok' || ready.status !== 'ok') {
      const why = wrong.map(({ name, detail }) => (detail === undefined ? name : `${name}: ${detail}`)).join('; ');
      return { state: 'critical', message: `${live.status === 'ok' ? 'not ready' : 'does not work'}${why === '' ? '' : `: ${why}`}`, values: [took] };
    }
    return { state: stateOf(took), message: `lives, is ready, and answers within ${duration(took.value * 1_000)}`, values: [took] };
  } catch (error) {
    if (!AdminProblem.is(error)) throw error;
    return { state: 'critical', message: error.detail, values: [] };
  }
}

interface Health {
  readonly status: string;
  readonly checks: readonly { readonly name: string; readonly ok: boolean; readonly detail?: string }[];
}

/** The answer under a health path, also where it is that something is wrong. */
async function health(client: AdminClient, path: '/livez' | '/readyz'): Promise<Health> {
  return (await client.request({ path, accepts: [503] })) as Health;
}

const summaryOf = async (target: Target): Promise<Summary> => (await firstUpdate<'summary'>(target, { of: 'summary' })).summary;

async function firing(client: AdminClient): Promise<readonly AlertStatus[]> {
  const { alerts } = await client.alerts();
  return alerts.filter(({ state }) => state === 'firing');
}
