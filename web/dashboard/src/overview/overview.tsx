import { useState } from 'react';
import type { SeriesRange } from 'spillway/admin';
import { useTopic } from '../live/use-topic.ts';
import { NodesTable } from '../nodes/nodes-table.tsx';
import { OwnNode, Place } from '../ui/states.tsx';
import { Charts } from './charts.tsx';
import { Headline } from './headline.tsx';
import { MapPanel } from './map-panel.tsx';

const RANGES: readonly (readonly [SeriesRange, string])[] = [
  ['15m', '15 min'],
  ['24h', '24 h'],
  ['7d', '7 days'],
];

/** Is anything wrong, since when, and where. */
export function Overview() {
  const [range, setRange] = useState<SeriesRange>('15m');
  const summary = useTopic<'summary'>({ of: 'summary' });
  const nodes = useTopic<'nodes'>({ of: 'nodes' });
  return (
    <div className="overview">
      <h1 className="hidden-text">Overview</h1>
      <Place what="figures" seen={summary}>
        {(data) => <Headline summary={data.summary} />}
      </Place>
      <fieldset className="ranges">
        <legend className="hidden-text">How far back the charts look</legend>
        {RANGES.map(([name, words]) => (
          <label key={name}>
            <input type="radio" name="range" checked={name === range} onChange={() => setRange(name)} />
            <span>{words}</span>
          </label>
        ))}
      </fieldset>
      <OwnNode what="Charts and map are" />
      <Charts key={range} range={range} />
      <MapPanel />
      <section className="panel" aria-label="Nodes">
        <header>
          <h2>Nodes</h2>
        </header>
        <Place what="nodes" seen={nodes}>
          {(data) => <NodesTable nodes={data.nodes} />}
        </Place>
      </section>
    </div>
  );
}
