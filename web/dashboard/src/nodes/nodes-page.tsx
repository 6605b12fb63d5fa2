import { useState } from 'react';
import type { NodeStatus } from 'spillway/admin';
import { useGateway } from '../live/gateway.ts';
import { useRights } from '../live/live-state.ts';
import { useAct } from '../live/use-answer.ts';
import { useTopic } from '../live/use-topic.ts';
import { ActionButton, CliLine } from '../ui/buttons.tsx';
import { Dialog, ReasonField } from '../ui/dialog.tsx';
import { plural } from '../ui/format.ts';
import { Place } from '../ui/states.tsx';
import { NodesTable } from './nodes-table.tsx';

export function NodesPage() {
  const nodes = useTopic<'nodes'>({ of: 'nodes' });
  const { administer } = useRights();
  const [draining, setDraining] = useState<NodeStatus | null>(null);
  return (
    <>
      <header className="screen-head">
        <h1>Nodes</h1>
        <p className="muted">A node that drains takes nobody new and moves its clients one by one; answers go on and nothing is lost.</p>
        {administer !== null && <p className="note">Draining is not possible here: {administer}.</p>}
      </header>
      <Place what="nodes" seen={nodes}>
        {(data) => (
          <NodesTable
            nodes={data.nodes}
            act={(node) =>
              node.state === 'ready' ? (
                <ActionButton refused={administer} onClick={() => setDraining(node)}>
                  Drain…
                </ActionButton>
              ) : (
                <span className="muted">–</span>
              )
            }
          />
        )}
      </Place>
      <CliLine command="spillway nodes list" />
      {draining !== null && <DrainDialog node={draining} onClose={() => setDraining(null)} />}
    </>
  );
}

function DrainDialog({ node, onClose }: { node: NodeStatus; onClose: () => void }) {
  const { client } = useGateway();
  const [reason, setReason] = useState('');
  const drain = useAct(async () => {
    await client.drainNode(node.node, { reason });
    onClose();
  });
  return (
    <Dialog title={`Drain ${node.node}`} onClose={onClose}>
      <p>
        {plural(node.managers, 'manager')} will move to other nodes, each in its own turn. Answers that are being written go on. The process then waits to be
        stopped; a drain cannot be taken back.
      </p>
      <ReasonField value={reason} onChange={setReason} />
      {drain.problem !== null && (
        <p className="problem" role="alert">
          {drain.problem}
        </p>
      )}
      <div className="dialog-actions">
        <button type="button" className="button" onClick={onClose}>
          Leave it
        </button>
        <ActionButton refused={reason.trim() === '' ? 'it needs a reason' : null} busy={drain.isActing} tone="danger" onClick={() => drain.run()}>
          Drain
        </ActionButton>
      </div>
    </Dialog>
  );
}
