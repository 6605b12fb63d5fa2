import type { ReactNode } from 'react';
import type { NodeStatus } from 'spillway/admin';
import { type Column, DataGrid } from '../grid/data-grid.tsx';
import { age, bytes, milliseconds, percent, whole } from '../ui/format.ts';

const TONES: Readonly<Record<NodeStatus['state'], string>> = { starting: 'waiting', ready: 'good', draining: 'waiting', expired: 'bad', silent: 'bad' };

const STATES: Readonly<Record<NodeStatus['state'], string>> = {
  starting: 'starting',
  ready: 'ready',
  draining: 'draining',
  expired: 'lease expired',
  silent: 'did not answer',
};

const isMute = ({ state }: NodeStatus): boolean => state === 'expired' || state === 'silent';

const COLUMNS: readonly Column<NodeStatus>[] = [
  { id: 'node', title: 'Node', width: 'minmax(6.2rem, 1.4fr)', narrow: true, cell: ({ node }) => <b>{node}</b> },
  {
    id: 'state',
    title: 'State',
    width: 'minmax(8.2rem, 1.2fr)',
    narrow: true,
    cell: ({ state }) => (
      <span className="state">
        <span className="tone" data-tone={TONES[state]} aria-hidden="true" />
        {STATES[state]}
      </span>
    ),
  },
  { id: 'managers', title: 'Managers', width: 'minmax(4.6rem, .7fr)', align: 'end', cell: (node) => whole(isMute(node) ? null : node.managers) },
  { id: 'zombies', title: 'Zombies', width: 'minmax(4.2rem, .7fr)', align: 'end', cell: (node) => whole(isMute(node) ? null : node.zombies) },
  { id: 'cpu', title: 'CPU', width: 'minmax(3rem, .6fr)', align: 'end', cell: ({ cpuShare }) => percent(cpuShare) },
  { id: 'loop', title: 'Loop p99', width: 'minmax(4.4rem, .7fr)', align: 'end', cell: ({ loopP99Ms }) => milliseconds(loopP99Ms) },
  { id: 'rss', title: 'Memory', width: 'minmax(4.4rem, .7fr)', align: 'end', cell: ({ rssBytes }) => bytes(rssBytes) },
  { id: 'store', title: 'Store', width: 'minmax(4.2rem, .7fr)', align: 'end', cell: ({ storeMs }) => milliseconds(storeMs) },
  { id: 'lease', title: 'Lease', width: 'minmax(3.4rem, .6fr)', align: 'end', cell: ({ leaseMs }) => age(leaseMs) },
  { id: 'version', title: 'Version', width: 'minmax(3.8rem, .7fr)', cell: ({ version }) => version },
];

/** The gateway processes that share this store. `act`: a column of what can be done to them. */
export function NodesTable({ nodes, act }: { nodes: readonly NodeStatus[]; act?: (node: NodeStatus) => ReactNode }) {
  const columns = act === undefined ? COLUMNS : [...COLUMNS, { id: 'act', title: 'Act', width: 'minmax(5.4rem, .8fr)', narrow: true, cell: act }];
  return (
    <DataGrid
      label="Nodes"
      columns={columns}
      rows={nodes}
      keyOf={({ node }) => node}
      tall={act !== undefined}
      brief={(node) =>
        isMute(node)
          ? STATES[node.state]
          : `${whole(node.managers)} managers, ${whole(node.zombies)} zombies · CPU ${percent(node.cpuShare)} · loop ${milliseconds(node.loopP99Ms)} · ${bytes(node.rssBytes)} · store ${milliseconds(node.storeMs)}`
      }
    />
  );
}
