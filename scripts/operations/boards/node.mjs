import { board, figure, lines, of, quantile, rate, rateBy, total } from '../board.mjs';

/** The processes, and what they depend on. */
export const NODE = board({
  uid: 'spillway-node',
  title: 'Spillway: node',
  about: 'The processes, and what they depend on.',
  rows: [
    {
      title: 'Process',
      panels: [
        lines({
          title: 'Event loop, p99',
          about: 'How late timers fire; 100 ms is too late.',
          unit: 's',
          limit: 0.1,
          queries: [[quantile(0.99, 'event_loop_lag_seconds', 'instance'), '{{instance}}']],
          alert: 'LoopLag',
        }),
        lines({
          title: 'Stalls a minute',
          about: 'Times in which this process did not turn.',
          unit: 'short',
          queries: [[`${rateBy('instance', 'attention_gap_seconds_count')} * 60`, '{{instance}}']],
          alert: 'ProbesVoided',
        }),
        lines({
          title: 'CPU',
          about: 'Cores in use.',
          unit: 'percentunit',
          queries: [[`sum by (instance) (${rate('/process_cpu_seconds_total')})`, '{{instance}}']],
        }),
        lines({
          title: 'Memory',
          about: 'Resident, and the used heap.',
          unit: 'bytes',
          queries: [
            [`sum by (instance) (${of('/process_resident_memory_bytes')})`, '{{instance}} resident'],
            [`sum by (instance) (${of('/nodejs_heap_size_used_bytes')})`, '{{instance}} heap'],
          ],
        }),
        lines({
          title: 'Garbage collection',
          about: 'Part of the time.',
          unit: 'percentunit',
          queries: [[`sum by (instance, kind) (${rate('/nodejs_gc_duration_seconds_sum')})`, '{{instance}} {{kind}}']],
        }),
        lines({
          title: 'Open files',
          about: 'Sockets are files; the limit stands beside them.',
          unit: 'short',
          queries: [[`sum by (instance) (${of('/process_open_fds')})`, '{{instance}}']],
        }),
      ],
    },
    {
      title: 'Clients',
      panels: [
        lines({ title: 'Transports', about: 'Really open.', unit: 'short', queries: [[`sum by (instance) (${of('transports')})`, '{{instance}}']] }),
        lines({
          title: 'Bytes that wait',
          about: 'Handed to transports, not taken by the operating system.',
          unit: 'bytes',
          queries: [[`sum by (instance) (${of('buffered_bytes')})`, '{{instance}}']],
        }),
        lines({
          title: 'Own health',
          about: '0 well … 8; from 4 on nothing is held against peers.',
          unit: 'short',
          limit: 4,
          queries: [[`max by (instance) (${of('local_health_score')})`, '{{instance}}']],
          alert: 'ProbesVoided',
        }),
      ],
    },
    {
      title: 'Store and lease',
      panels: [
        lines({ title: 'Requests to the store, p99', about: 'By method.', unit: 's', queries: [[quantile(0.99, 'store_request_seconds', 'op'), '{{op}}']] }),
        lines({
          title: 'Failed requests a second',
          about: 'By method.',
          unit: 'ops',
          queries: [[rateBy('op', 'store_errors_total'), '{{op}}']],
          alert: ['FailOpen', 'CleanupFailed'],
        }),
        lines({
          title: 'Lease',
          about: 'Until the seats of a node end if nobody renews them.',
          unit: 's',
          queries: [[`min by (instance) (${of('node_lease_remaining_seconds')})`, '{{instance}}']],
        }),
        lines({
          title: 'Renewals a minute',
          about: 'By how they ended.',
          unit: 'short',
          queries: [[`${rateBy('result', 'lease_renewals_total')} * 60`, '{{result}}']],
          alert: 'SeatsForgotten',
        }),
        lines({
          title: 'Nodes on the store',
          about: 'As the one that sees most of them counts; the dead are those of the last ten minutes.',
          unit: 'short',
          queries: [[`max by (standing) (${of('nodes')})`, '{{standing}}']],
          alert: 'NodeDead',
        }),
        lines({
          title: 'Clock of the store',
          about: 'How far it and the clock of a node are apart.',
          unit: 's',
          queries: [[`max by (instance) (${of('store_clock_skew_seconds')})`, '{{instance}}']],
          alert: 'StoreClock',
        }),
        figure({
          title: 'Cut off from the store',
          about: 'Nodes that go by what they know themselves.',
          unit: 'short',
          bad: 1,
          decimals: 0,
          queries: [[total('store_fail_open'), 'nodes']],
          alert: 'FailOpen',
        }),
        figure({ title: 'Draining', about: 'Nodes that move their clients away.', unit: 'short', decimals: 0, queries: [[total('draining'), 'nodes']] }),
        figure({ title: 'Versions', about: 'What runs.', unit: 'short', decimals: 0, queries: [[`count by (version) (${of('build_info')})`, '{{version}}']] }),
      ],
    },
    {
      title: 'Golden path',
      panels: [
        lines({
          title: 'Walks a minute',
          about: 'By how they ended.',
          unit: 'short',
          queries: [[`${rateBy('instance, result', 'golden_path_runs_total')} * 60`, '{{instance}} {{result}}']],
          alert: 'GoldenPathFailing',
        }),
        lines({
          title: 'How long a walk takes',
          about: 'From the log-in to the checked answer.',
          unit: 's',
          queries: [
            [quantile(0.5, 'golden_path_seconds', 'instance'), '{{instance}} p50'],
            [quantile(0.99, 'golden_path_seconds', 'instance'), '{{instance}} p99'],
          ],
        }),
      ],
    },
  ],
});
