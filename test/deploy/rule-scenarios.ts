/** What Prometheus is shown, and which alert has to fire then or to stay quiet. Samples come every 15 s from one or two gateways. */

export interface Scenario {
  readonly alert: string;
  readonly story: string;
  /** Series by name and labels, as `cleanup_runs_total{level="force"}` without prefix, job and instance, and their samples as `promtool`
   *  spells them: `0x4 1x40` is five samples of 0, then 41 of 1. */
  readonly series: Readonly<Record<string, string>>;
  /** When it is looked, after the first sample. */
  readonly at: string;
  readonly fires: boolean;
  /** The alert is one of a whole deployment: it names no gateway. */
  readonly deployment?: true;
  readonly cause?: 'absent';
}

const ADMISSIONS = ['seated', 'after_cleanup', 'burst', 'after_queue', 'force', 'abandoned', 'retry_later'];
/** Nobody at all, but the outcomes named. */
const admissions = (risen: Readonly<Record<string, string>>, samples: number): Record<string, string> =>
  Object.fromEntries(ADMISSIONS.map((outcome) => [`admissions_total{outcome="${outcome}",tier="free",intent="user"}`, risen[outcome] ?? `0x${samples}`]));

/** A histogram of which every second so many observations come, all in one bucket. */
const histogram = (name: string, bounds: readonly string[], into: string, samples = 60): Record<string, string> => {
  const from = bounds.indexOf(into);
  return Object.fromEntries(bounds.map((le, index) => [`${name}_bucket{le="${le}"}`, index >= from ? `0+10x${samples}` : `0x${samples}`]));
};
const CLEANUP_BOUNDS = ['0.005', '0.1', '0.5', '1', '+Inf'];
const QUEUE_BOUNDS = ['1', '5', '10', '30', '+Inf'];
/** The same of questions about seats. */
const questions = (into: string): Record<string, string> =>
  Object.fromEntries(
    Object.entries(histogram('store_request_seconds', ['0.01', '0.05', '0.1', '0.25', '+Inf'], into)).map(([name, values]) => [
      name.replace('{', '{op="seats.admit",'),
      values,
    ]),
  );
const LAG_BOUNDS = ['0.01', '0.05', '0.1', '0.25', '+Inf'];

export const SCENARIOS: readonly Scenario[] = [
  { alert: 'Lockout', story: 'one lockout', series: { lockouts_total: '0x3 1x20' }, at: '1m15s', fires: true },
  { alert: 'Lockout', story: 'none', series: { lockouts_total: '0x40' }, at: '5m', fires: false },
  { alert: 'Lockout', story: 'one that is over', series: { lockouts_total: '0x3 1x60' }, at: '10m', fires: false },
  { alert: 'Lockout', story: 'a restart counts from 0 again', series: { lockouts_total: '3x10 0x20' }, at: '5m', fires: false },

  { alert: 'ForceShort', story: 'Force freed nothing', series: { 'cleanup_runs_total{level="force",result="short"}': '0x3 1x20' }, at: '2m', fires: true },
  {
    alert: 'ForceShort',
    story: 'a milder level was short, which is what the next one is for',
    series: { 'cleanup_runs_total{level="force",result="short"}': '0x30', 'cleanup_runs_total{level="moderate",result="short"}': '0+1x30' },
    at: '5m',
    fires: false,
  },

  {
    alert: 'CleanupFreedNothing',
    story: 'the incident: users at their limit, every cleanup ends without a seat, nobody gets one',
    series: {
      ...admissions({ retry_later: '0+4x80' }, 80),
      'cleanup_runs_total{level="conservative",result="short"}': '0+1x80',
      'cleanup_runs_total{level="moderate",result="failed"}': '0+1x80',
      'cleanup_runs_total{level="moderate",result="enough"}': '0x80',
      users_at_limit: '3x80',
    },
    at: '12m',
    fires: true,
    deployment: true,
  },
  {
    alert: 'CleanupFreedNothing',
    story: 'cleanups are short, but the next level finds seats',
    series: {
      ...admissions({ after_cleanup: '0+1x80' }, 80),
      'cleanup_runs_total{level="conservative",result="short"}': '0+1x80',
      users_at_limit: '3x80',
    },
    at: '12m',
    fires: false,
    deployment: true,
  },
  {
    alert: 'CleanupFreedNothing',
    story: 'a forgotten tab beyond the limit reconnects by itself, again and again; everybody else works',
    series: {
      'admissions_total{outcome="retry_later",tier="free",intent="auto"}': '0+4x80',
      'admissions_total{outcome="retry_later",tier="free",intent="user"}': '0x80',
      'admissions_total{outcome="force",tier="free",intent="user"}': '0x80',
      'cleanup_runs_total{level="moderate",result="short"}': '0+1x80',
      users_at_limit: '1x80',
    },
    at: '12m',
    fires: false,
    deployment: true,
  },
  {
    alert: 'CleanupFreedNothing',
    story: 'the proactive pass is short and nobody is at the limit',
    series: { ...admissions({ seated: '0+1x80' }, 80), 'cleanup_runs_total{level="moderate",result="short"}': '0+1x80', users_at_limit: '0x80' },
    at: '12m',
    fires: false,
    deployment: true,
  },

  { alert: 'CleanupFailed', story: 'a level threw', series: { 'cleanup_runs_total{level="moderate",result="failed"}': '0x3 1x20' }, at: '2m', fires: true },
  {
    alert: 'CleanupFailed',
    story: 'a level was short',
    series: { 'cleanup_runs_total{level="moderate",result="short"}': '0x3 1x20', 'cleanup_runs_total{level="moderate",result="failed"}': '0x30' },
    at: '2m',
    fires: false,
  },

  {
    alert: 'AdmissionBurn',
    story: 'one admission in a hundred fails, for an hour and now',
    series: { ...admissions({ seated: '0+100x300' }, 300), lockouts_total: '0+1x300' },
    at: '70m',
    fires: true,
    deployment: true,
  },
  {
    alert: 'AdmissionBurn',
    story: 'one in a thousand, for six hours: the slow burn',
    series: { ...admissions({ seated: '0+1000x1600' }, 1600), lockouts_total: '0+1x1600' },
    at: '390m',
    fires: true,
    deployment: true,
  },
  {
    alert: 'AdmissionBurn',
    story: 'one event an hour ago, none since: over',
    series: { ...admissions({ seated: '0+100x300' }, 300), lockouts_total: '0x40 50x260' },
    at: '60m',
    fires: false,
    deployment: true,
  },

  { alert: 'CleanupSlow', story: 'passes take a second', series: histogram('cleanup_seconds', CLEANUP_BOUNDS, '1'), at: '12m', fires: true },
  { alert: 'CleanupSlow', story: 'they do, but not for 5 minutes yet', series: histogram('cleanup_seconds', CLEANUP_BOUNDS, '1'), at: '3m', fires: false },
  { alert: 'CleanupSlow', story: 'passes take 100 ms', series: histogram('cleanup_seconds', CLEANUP_BOUNDS, '0.1'), at: '12m', fires: false },

  {
    alert: 'ZombieRatio',
    story: 'half of them',
    series: { 'managers{verdict="zombie",tier="free"}': '10x60', 'managers{verdict="healthy",tier="free"}': '10x60' },
    at: '11m',
    fires: true,
    deployment: true,
  },
  {
    alert: 'ZombieRatio',
    story: 'one in ten',
    series: { 'managers{verdict="zombie",tier="free"}': '1x60', 'managers{verdict="healthy",tier="free"}': '9x60' },
    at: '11m',
    fires: false,
    deployment: true,
  },
  { alert: 'ZombieRatio', story: 'nobody is here', series: { 'managers{verdict="zombie",tier="free"}': '0x60' }, at: '11m', fires: false, deployment: true },

  { alert: 'Quarantine', story: 'a socket does not close for a minute', series: { quarantined_transports: '1x20' }, at: '2m', fires: true },
  { alert: 'Quarantine', story: 'it took half a minute', series: { quarantined_transports: '1x2 0x20' }, at: '2m', fires: false },

  {
    alert: 'Mismatch',
    story: 'a seat without a manager',
    series: { 'registry_mismatches_total{kind="seat-without-manager"}': '0x3 1x30' },
    at: '5m',
    fires: true,
  },
  { alert: 'Mismatch', story: 'all accounts agree', series: { 'registry_mismatches_total{kind="seat-without-manager"}': '0x60' }, at: '5m', fires: false },

  {
    alert: 'BurstIsLimit',
    story: 'half of those at the limit, for half an hour',
    series: { users_in_burst: '5x140', users_at_limit: '10x140' },
    at: '32m',
    fires: true,
    deployment: true,
  },
  { alert: 'BurstIsLimit', story: 'one in ten', series: { users_in_burst: '1x140', users_at_limit: '10x140' }, at: '32m', fires: false, deployment: true },

  {
    alert: 'PingPong',
    story: 'four healthy ones a minute go, with two users at the limit',
    series: { 'evictions_total{level="force",verdict="healthy",reason="lowest-value"}': '0+1x60', users_at_limit: '2x60' },
    at: '12m',
    fires: true,
    deployment: true,
  },
  {
    alert: 'PingPong',
    story: 'people close their own sessions',
    series: {
      'evictions_total{level="force",verdict="healthy",reason="user-freed"}': '0+1x60',
      'evictions_total{level="force",verdict="healthy",reason="lowest-value"}': '0x60',
      users_at_limit: '2x60',
    },
    at: '12m',
    fires: false,
    deployment: true,
  },
  {
    alert: 'PingPong',
    story: 'one person displaced one of their own sessions',
    series: { 'evictions_total{level="force",verdict="healthy",reason="lowest-value"}': '0x10 1x50', users_at_limit: '0x60' },
    at: '12m',
    fires: false,
    deployment: true,
  },

  {
    alert: 'ProbesVoided',
    story: 'a fifth of the probes does not count',
    series: { 'probes_total{result="stall_voided"}': '0+1x60', 'probes_total{result="answered"}': '0+4x60' },
    at: '12m',
    fires: true,
  },
  {
    alert: 'ProbesVoided',
    story: 'this gateway is not well itself',
    series: { 'probes_total{result="stall_voided"}': '0x60', 'probes_total{result="answered"}': '0x60', local_health_score: '4x60' },
    at: '2m',
    fires: true,
  },
  {
    alert: 'ProbesVoided',
    story: 'one in a hundred',
    series: { 'probes_total{result="stall_voided"}': '0+1x60', 'probes_total{result="answered"}': '0+99x60', local_health_score: '0x60' },
    at: '12m',
    fires: false,
  },

  { alert: 'FailOpen', story: 'the store is away', series: { store_fail_open: '1x20' }, at: '2m', fires: true },
  { alert: 'FailOpen', story: 'it was, for half a minute', series: { store_fail_open: '1x2 0x20' }, at: '2m', fires: false },

  {
    alert: 'NodeDead',
    story: 'a gateway was killed, and another one saw it',
    series: { 'node_deaths_total{drained="no"}': '0x3 1x20' },
    at: '2m',
    fires: true,
    deployment: true,
  },
  {
    alert: 'NodeDead',
    story: 'one was drained before it was stopped',
    series: { 'node_deaths_total{drained="no"}': '0x20', 'node_deaths_total{drained="yes"}': '0x3 1x20' },
    at: '2m',
    fires: false,
    deployment: true,
  },

  { alert: 'StoreSlow', story: 'seats take 100 ms', series: questions('0.1'), at: '12m', fires: true },
  { alert: 'StoreSlow', story: 'they take 10 ms', series: questions('0.01'), at: '12m', fires: false },

  {
    alert: 'SeatsForgotten',
    story: 'a failover lost the last seats',
    series: { 'lease_renewals_total{result="adopted"}': '0x3 40x20', seats: '100x20' },
    at: '2m',
    fires: true,
  },
  {
    alert: 'SeatsForgotten',
    story: 'one of a hundred was put back',
    series: { 'lease_renewals_total{result="adopted"}': '0x3 1x20', seats: '100x20' },
    at: '2m',
    fires: false,
  },

  { alert: 'StoreClock', story: 'a minute apart', series: { store_clock_skew_seconds: '60x40' }, at: '7m', fires: true },
  { alert: 'StoreClock', story: 'a second apart', series: { store_clock_skew_seconds: '1x40' }, at: '7m', fires: false },

  { alert: 'SweeperDead', story: 'the pass stopped', series: { cleanup_heartbeat_timestamp_seconds: '0 15 30 30x20' }, at: '2m', fires: true },
  { alert: 'SweeperDead', story: 'it runs', series: { cleanup_heartbeat_timestamp_seconds: '0+15x20' }, at: '2m', fires: false },
  { alert: 'SweeperDead', story: 'no gateway is seen at all', series: {}, at: '2m', fires: true, cause: 'absent' },
  { alert: 'SweeperDead', story: 'Prometheus has only just started', series: {}, at: '30s', fires: false, cause: 'absent' },

  { alert: 'Gap', story: 'one', series: { gaps_total: '0x3 1x20' }, at: '2m', fires: true },
  { alert: 'Gap', story: 'none', series: { gaps_total: '0x20' }, at: '2m', fires: false },

  {
    alert: 'GoldenPathFailing',
    story: 'it fails every 30 s',
    series: {
      'golden_path_runs_total{result="failed"}': '0 0 1 1 2 2 3 3 4 4',
      'golden_path_runs_total{result="ok"}': '5x9',
      'golden_path_runs_total{result="late"}': '0x9',
    },
    at: '2m',
    fires: true,
  },
  {
    alert: 'GoldenPathFailing',
    story: 'it failed once',
    series: {
      'golden_path_runs_total{result="failed"}': '0 0 1 1 1 1 1 1 1 1',
      'golden_path_runs_total{result="ok"}': '5 5 5 5 6 6 7 7 8 8',
      'golden_path_runs_total{result="late"}': '0x9',
    },
    at: '1m15s',
    fires: false,
  },

  { alert: 'QueueWait', story: 'everybody waits longer than 10 s', series: histogram('queue_wait_seconds', QUEUE_BOUNDS, '30'), at: '6m', fires: true },
  { alert: 'QueueWait', story: 'they wait 5 s', series: histogram('queue_wait_seconds', QUEUE_BOUNDS, '5'), at: '6m', fires: false },

  { alert: 'LoopLag', story: 'turns come 250 ms late', series: histogram('event_loop_lag_seconds', LAG_BOUNDS, '0.25'), at: '12m', fires: true },
  { alert: 'LoopLag', story: 'they come 50 ms late', series: histogram('event_loop_lag_seconds', LAG_BOUNDS, '0.05'), at: '12m', fires: false },

  {
    alert: 'Regrets',
    story: 'one in a hundred evictions',
    series: { eviction_regrets_total: '0+1x100', 'evictions_total{level="moderate",verdict="zombie",reason="ack-timeout"}': '0+100x100' },
    at: '20m',
    fires: true,
    deployment: true,
  },
  {
    alert: 'Regrets',
    story: 'none',
    series: { eviction_regrets_total: '0x100', 'evictions_total{level="moderate",verdict="zombie",reason="ack-timeout"}': '0+100x100' },
    at: '20m',
    fires: false,
    deployment: true,
  },
];
