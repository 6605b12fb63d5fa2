import { board, figure, lines, of, quantile, rate, rateBy, risen, total } from '../board.mjs';

/** Who is found dead, who gives way, and why. */
export const CLEANUP = board({
  uid: 'spillway-cleanup',
  title: 'Spillway: cleanup',
  about: 'Who is found dead, who gives way, and why.',
  rows: [
    {
      title: 'Passes',
      panels: [
        lines({
          title: 'Levels run a minute',
          about: 'By result: short means that the next level had to help.',
          unit: 'short',
          queries: [[`${rateBy('level, result', 'cleanup_runs_total')} * 60`, '{{level}} {{result}}']],
          alert: ['CleanupFailed', 'ForceShort'],
        }),
        lines({
          title: 'Examined and freed a minute',
          about: 'By level.',
          unit: 'short',
          queries: [
            [`${rateBy('level', 'cleanup_targets_total')} * 60`, '{{level}} examined'],
            [`${rateBy('level', 'cleanup_freed_total')} * 60`, '{{level}} freed'],
          ],
          alert: 'CleanupFreedNothing',
        }),
        lines({
          title: 'How long passes take, p99',
          about: 'By the furthest level; 500 ms is what they may.',
          unit: 's',
          limit: 0.5,
          queries: [[quantile(0.99, 'cleanup_seconds', 'level'), '{{level}}']],
          alert: 'CleanupSlow',
        }),
        figure({
          title: 'Background pass',
          about: 'Time since its last end.',
          unit: 's',
          bad: 30,
          decimals: 0,
          queries: [[`max(time() - ${of('cleanup_heartbeat_timestamp_seconds')})`, 'ago']],
          alert: 'SweeperDead',
        }),
        figure({
          title: 'Quarantined',
          about: 'Sockets that do not close.',
          unit: 'short',
          bad: 1,
          decimals: 0,
          queries: [[total('quarantined_transports'), 'sockets']],
          alert: 'Quarantine',
        }),
        figure({
          title: 'Mismatches, 24 h',
          about: 'Accounts that disagreed twice.',
          unit: 'short',
          bad: 1,
          decimals: 0,
          queries: [[risen('registry_mismatches_total', '24h'), 'differences']],
          alert: 'Mismatch',
        }),
        figure({
          title: 'Regrets, 24 h',
          about: 'Evictions that a sign of life contradicts.',
          unit: 'short',
          bad: 1,
          decimals: 0,
          queries: [[risen('eviction_regrets_total', '24h'), 'regrets']],
          alert: 'Regrets',
        }),
      ],
    },
    {
      title: 'Who gave way',
      panels: [
        lines({
          title: 'Evictions a minute, by reason',
          about: 'When the seat was taken.',
          unit: 'short',
          stack: true,
          queries: [[`${rateBy('reason', 'evictions_total')} * 60`, '{{reason}}']],
        }),
        lines({
          title: 'Evictions a minute, by verdict',
          about: 'Healthy ones below Force: none, ever.',
          unit: 'short',
          stack: true,
          queries: [[`${rateBy('verdict', 'evictions_total')} * 60`, '{{verdict}}']],
          alert: 'PingPong',
        }),
        lines({
          title: 'Closed transports a minute',
          about: 'By close code.',
          unit: 'short',
          stack: true,
          queries: [[`${rateBy('code', 'disconnects_total')} * 60`, '{{code}}']],
        }),
      ],
    },
    {
      title: 'Evidence',
      panels: [
        lines({
          title: 'Zombies found a minute',
          about: 'By what gave them away.',
          unit: 'short',
          stack: true,
          queries: [[`${rateBy('reason', 'zombies_detected_total')} * 60`, '{{reason}}']],
          alert: 'ZombieRatio',
        }),
        lines({
          title: 'Until a zombie is found',
          about: 'From the last sign of its application.',
          unit: 's',
          queries: [
            [quantile(0.5, 'zombie_detection_delay_seconds'), 'p50'],
            [quantile(0.99, 'zombie_detection_delay_seconds'), 'p99'],
          ],
        }),
        lines({
          title: 'Probes a second',
          about: 'Voided ones are held against nobody.',
          unit: 'ops',
          stack: true,
          queries: [[rateBy('result', 'probes_total'), '{{result}}']],
          alert: 'ProbesVoided',
        }),
        lines({
          title: 'How long an answer to a probe takes',
          about: 'Of those that were answered.',
          unit: 's',
          queries: [
            [quantile(0.5, 'probe_seconds'), 'p50'],
            [quantile(0.99, 'probe_seconds'), 'p99'],
          ],
        }),
      ],
    },
    {
      title: 'Burst and queue',
      panels: [
        lines({
          title: 'Burst leases a minute',
          about: 'That began.',
          unit: 'short',
          queries: [[`sum(${rate('burst_grants_total')}) * 60`, 'leases']],
          alert: 'BurstIsLimit',
        }),
        lines({ title: 'Waiting', about: 'By tier.', unit: 'short', stack: true, queries: [[`sum by (tier) (${of('queue_length')})`, '{{tier}}']] }),
        lines({
          title: 'How long they wait',
          about: 'However it ended; Force ends it after 10 s.',
          unit: 's',
          limit: 10,
          queries: [
            [quantile(0.5, 'queue_wait_seconds'), 'p50'],
            [quantile(0.95, 'queue_wait_seconds'), 'p95'],
          ],
          alert: 'QueueWait',
        }),
        lines({ title: 'Notices to people a minute', about: 'By kind.', unit: 'short', queries: [[`${rateBy('kind', 'notices_total')} * 60`, '{{kind}}']] }),
      ],
    },
  ],
});
