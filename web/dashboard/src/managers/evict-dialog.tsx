import { useState } from 'react';
import type { ManagerExplanation } from 'spillway/admin';
import { useGateway } from '../live/gateway.ts';
import { useAct, useAnswer } from '../live/use-answer.ts';
import { ActionButton } from '../ui/buttons.tsx';
import { Dialog, ReasonField } from '../ui/dialog.tsx';
import { Place } from '../ui/states.tsx';
import { Verdict } from '../ui/verdict.tsx';
import { isDead } from './evidence.ts';

/** Shows what the gateway says of it at this instant, then takes its seat for a reason. */
export function EvictDialog({ report: { managerId, userId }, onClose }: { report: ManagerExplanation; onClose: () => void }) {
  const { client } = useGateway();
  const [reason, setReason] = useState('');
  const [overrides, setOverrides] = useState(false);
  const now = useAnswer(managerId, () => client.explain(managerId));
  const evict = useAct(async () => {
    await client.evict(managerId, { reason: reason.trim(), ...(overrides ? { overrideProtection: true } : {}) });
    onClose();
  });
  return (
    <Dialog title="Evict this manager" onClose={onClose}>
      <Place what="answer" seen={now}>
        {({ verdict, text, running, pinned, connected }) => {
          const isProtected = pinned && !isDead(verdict);
          const refused = reason.trim() === '' ? 'it needs a reason' : isProtected && !overrides ? 'it is pinned' : null;
          return (
            <>
              <p>
                <Verdict verdict={verdict} /> <code>{managerId}</code> of {userId}: {text}.
              </p>
              <ul className="reasons">
                <li>Its seat is given back at once.</li>
                <li>
                  {connected
                    ? 'Its page is told that an administrator ended it, with your reason; it comes back when its person asks.'
                    : 'It has no connection; nobody is told.'}
                </li>
                <li>{running ? 'The answer that is being written goes on; it waits in the log.' : 'Nothing is lost: its conversation stays in the log.'}</li>
              </ul>
              {isProtected && (
                <label className="check">
                  <input type="checkbox" checked={overrides} onChange={(event) => setOverrides(event.target.checked)} /> Its application has pinned it. Take it
                  all the same.
                </label>
              )}
              <ReasonField value={reason} onChange={setReason} />
              {evict.problem !== null && (
                <p className="problem" role="alert">
                  {evict.problem}
                </p>
              )}
              <div className="dialog-actions">
                <button type="button" className="button" onClick={onClose}>
                  Leave it
                </button>
                <ActionButton refused={refused} busy={evict.isActing} tone="danger" onClick={() => evict.run()}>
                  Evict
                </ActionButton>
              </div>
            </>
          );
        }}
      </Place>
    </Dialog>
  );
}
