import { useRef, useState } from 'react';
import type { SeriesName, SeriesRange } from 'spillway/admin';
import { useWatch } from '../live/use-topic.ts';
import { brief, milliseconds } from '../ui/format.ts';
import { Chart, type Line } from './chart.tsx';
import { SeriesStore, type Values } from './series-store.ts';

const perSecond = (value: number | null): string => brief(value);

type Spec = readonly [label: string, name: SeriesName, colour: string, dash?: readonly number[]];

const ADMISSIONS: readonly Spec[] = [
  ['seated', 'admissions.seated', '--series-green'],
  ['after cleanup', 'admissions.afterCleanup', '--series-sky'],
  ['burst', 'admissions.burst', '--series-orange'],
  ['queue', 'admissions.queue', '--series-purple'],
  ['force', 'admissions.force', '--series-red'],
  ['later', 'admissions.later', '--series-blue'],
];
const MANAGERS: readonly Spec[] = [
  ['healthy', 'managers.healthy', '--verdict-healthy'],
  ['idle', 'managers.idle', '--verdict-idle'],
  ['suspect', 'managers.suspect', '--verdict-suspect'],
  ['zombie', 'managers.zombie', '--verdict-zombie'],
  ['inactive', 'managers.inactive', '--verdict-inactive'],
  ['unknown', 'managers.unknown', '--verdict-unknown'],
];
const ZOMBIES: readonly Spec[] = [
  ['ack-timeout', 'zombies.ackTimeout', '--series-red'],
  ['probe-timeout', 'zombies.probeTimeout', '--series-orange'],
  ['transport', 'zombies.transport', '--series-purple'],
];

/** Six looks at the same stretch of time. */
export function Charts({ range }: { range: SeriesRange }) {
  const store = useRef(new SeriesStore());
  const [, redraw] = useState(0);
  useWatch<'series'>({ of: 'series', range }, (update) => {
    store.current.take(update);
    redraw((turn) => turn + 1);
  });
  const { at, stepMs } = store.current;
  const line = ([label, name, colour, dash]: Spec, spell: Line['spell'], values: Values = store.current.of(name)): Line => ({
    label,
    colour,
    values,
    spell,
    ...(dash === undefined ? {} : { dash }),
  });
  return (
    <div className="charts" data-step={stepMs}>
      <Chart title="Admissions" unit="per second" at={at} stacked lines={ADMISSIONS.map((spec) => line(spec, perSecond))} spellAxis={brief} />
      <Chart title="Managers" unit="by verdict" at={at} stacked atLeast={4} lines={MANAGERS.map((spec) => line(spec, brief))} spellAxis={brief} />
      <Chart
        title="Cleanup"
        unit="ms a pass"
        at={at}
        mark={{ at: 500, label: '500 ms' }}
        atLeast={600}
        lines={[
          line(['p50', 'cleanup.p50Ms', '--series-sky', [2, 3]], milliseconds),
          line(['p95', 'cleanup.p95Ms', '--series-blue', [7, 3]], milliseconds),
          line(['p99', 'cleanup.p99Ms', '--series-orange'], milliseconds),
        ]}
      />
      <Chart
        title="Zombies"
        unit="found in a minute"
        at={at}
        stacked
        atLeast={4}
        lines={ZOMBIES.map((spec) => line(spec, brief, store.current.inAMinute(spec[1])))}
        spellAxis={brief}
      />
      <Chart
        title="Delivery"
        unit="ms · unacked, right"
        at={at}
        atLeast={10}
        lines={[
          line(['ack p50', 'delivery.ackP50Ms', '--series-sky', [2, 3]], milliseconds),
          line(['ack p99', 'delivery.ackP99Ms', '--series-blue'], milliseconds),
          { ...line(['unacked', 'delivery.unacked', '--series-orange', [7, 3]], brief), scale: 'right' },
        ]}
        spellAxis={brief}
      />
      <Chart
        title="Resume"
        unit="per second"
        at={at}
        lines={[
          line(['resumes', 'resume.resumes', '--series-green'], perSecond),
          line(['replayed', 'resume.replayed', '--series-sky', [7, 3]], perSecond),
          line(['gaps', 'resume.gaps', '--series-red', [2, 3]], perSecond),
        ]}
        spellAxis={brief}
      />
    </div>
  );
}
