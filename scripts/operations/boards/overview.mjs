import { board, figure, lines, of, quantile, rate, rateBy, risen, total } from '../board.mjs';

/** Whether people get in and get their answers. */
export const OVERVIEW = board({
  uid: 'spillway-overview',
  title: 'Spillway: overview',
  about: 'Whether people get in and get their answers.',
  rows: [
    {
      title: 'Promises',
      panels: [
        figure({
          title: 'Golden path',
          about: 'Part of the walks of the synthetic client in 15 min that got a right answer.',
          unit: 'percentunit',
          low: 0.99,
          queries: [[`${risen('golden_path_runs_total', '15m', 'result="ok"')} / ${risen('golden_path_runs_total', '15m')}`, 'ok']],
          alert: 'GoldenPathFailing',
        }),
        figure({
          title: 'Lockouts, 24 h',
          about: 'Promises to people that were broken.',
          unit: 'short',
          bad: 1,
          decimals: 0,
          queries: [[risen('lockouts_total', '24h'), 'lockouts']],
          alert: ['Lockout', 'AdmissionBurn'],
        }),
        figure({
          title: 'Gaps, 24 h',
          about: 'Clients that were offered a snapshot instead of events.',
          unit: 'short',
          bad: 1,
          decimals: 0,
          queries: [[risen('gaps_total', '24h'), 'gaps']],
          alert: 'Gap',
        }),
        figure({
          title: 'Availability, 24 h',
          about: 'Part of what persons asked for that was served in time. Failures of a model’s endpoint count against nobody.',
          unit: 'percentunit',
          low: 0.999,
          decimals: 2,
          queries: [[`${risen('intents_total', '24h', 'result="ok"')} / ${risen('intents_total', '24h', 'result!="provider_error"')}`, 'in time']],
        }),
        figure({
          title: 'Waiting now',
          about: 'Admissions in a queue of their user or of a full node.',
          unit: 'short',
          decimals: 0,
          queries: [[total('queue_length'), 'waiting']],
          alert: 'QueueWait',
        }),
        figure({
          title: 'Alerts firing',
          about: 'Of the rules beside this board.',
          unit: 'short',
          bad: 1,
          decimals: 0,
          queries: [['count(ALERTS{alertstate="firing",job=~"$job"}) or vector(0)', 'firing']],
        }),
      ],
    },
    {
      title: 'People and their seats',
      panels: [
        lines({
          title: 'Admissions a second',
          about: 'By how they ended.',
          unit: 'ops',
          stack: true,
          queries: [[rateBy('outcome', 'admissions_total'), '{{outcome}}']],
          alert: 'CleanupFreedNothing',
        }),
        lines({
          title: 'How long an admission takes',
          about: 'Waiting included.',
          unit: 's',
          queries: [
            [quantile(0.5, 'admission_seconds'), 'p50'],
            [quantile(0.99, 'admission_seconds'), 'p99'],
          ],
        }),
        lines({
          title: 'Managers by verdict',
          about: 'Those that hold a seat.',
          unit: 'short',
          stack: true,
          queries: [[`sum by (verdict) (${of('managers')})`, '{{verdict}}']],
          alert: 'ZombieRatio',
        }),
        lines({
          title: 'Users',
          about: 'At their limit, in a burst, repaying one.',
          unit: 'short',
          queries: [
            [total('users'), 'users'],
            [total('users_at_limit'), 'at limit'],
            [total('users_in_burst'), 'in burst'],
            [total('users_in_debt'), 'in debt'],
          ],
          alert: 'BurstIsLimit',
        }),
        lines({
          title: 'Seats and transports',
          about: 'Seats that are held, those without the dead, and open transports.',
          unit: 'short',
          queries: [
            [total('seats'), 'seats'],
            [total('effective_seats'), 'effective'],
            [total('transports'), 'transports'],
          ],
        }),
        lines({
          title: 'Cleanup',
          about: 'How long a pass takes; 500 ms is what it may.',
          unit: 's',
          limit: 0.5,
          queries: [
            [quantile(0.5, 'cleanup_seconds'), 'p50'],
            [quantile(0.95, 'cleanup_seconds'), 'p95'],
            [quantile(0.99, 'cleanup_seconds'), 'p99'],
          ],
          alert: 'CleanupSlow',
        }),
      ],
    },
    {
      title: 'Answers',
      panels: [
        lines({
          title: 'Acknowledgements',
          about: 'From the write of an event to its acknowledgement by the page.',
          unit: 's',
          queries: [
            [quantile(0.5, 'ack_delay_seconds'), 'p50'],
            [quantile(0.99, 'ack_delay_seconds'), 'p99'],
          ],
        }),
        lines({
          title: 'Events a second',
          about: 'Written for the first time, acknowledged, written again.',
          unit: 'ops',
          queries: [
            [`sum(${rate('events_sent_total')})`, 'sent'],
            [`sum(${rate('events_acked_total')})`, 'acknowledged'],
            [`sum(${rate('events_replayed_total')})`, 'replayed'],
          ],
        }),
        lines({ title: 'Unacknowledged', about: 'Events sent to transports still open.', unit: 'short', queries: [[total('unacked_events'), 'events']] }),
        lines({
          title: 'Returns a second',
          about: 'Clients that came back, by how.',
          unit: 'ops',
          queries: [[rateBy('result', 'resumes_total'), '{{result}}']],
          alert: 'Gap',
        }),
        lines({
          title: 'How long a return takes',
          about: 'From the greeting to the seat.',
          unit: 's',
          queries: [
            [quantile(0.5, 'resume_seconds'), 'p50'],
            [quantile(0.99, 'resume_seconds'), 'p99'],
          ],
        }),
        lines({
          title: 'What persons asked for',
          about: 'Connects and messages a second, by how they ended.',
          unit: 'ops',
          stack: true,
          queries: [[rateBy('kind, result', 'intents_total'), '{{kind}} {{result}}']],
        }),
      ],
    },
  ],
});
