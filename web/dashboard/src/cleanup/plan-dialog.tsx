import { useId, useState } from 'react';
import { AdminProblem, type CleanupLevelName, type CleanupPlan, type PlanDifference } from 'spillway/admin';
import { useNow } from '../../../chat/src/ui/clock.ts';
import { useGateway } from '../live/gateway.ts';
import { useRights } from '../live/live-state.ts';
import { useAct, useAnswer } from '../live/use-answer.ts';
import { ActionButton } from '../ui/buttons.tsx';
import { Dialog, ReasonField } from '../ui/dialog.tsx';
import { plural, shortId } from '../ui/format.ts';
import { go, href } from '../ui/route.ts';
import { Place } from '../ui/states.tsx';
import { Verdict } from '../ui/verdict.tsx';

/** The gateway's own plan for a user, and carrying out exactly that. `only`: nothing but the dead may go. */
export function PlanDialog({ user, only, onClose }: { user: string; only: 'the dead' | null; onClose: () => void }) {
  const { client } = useGateway();
  const plan = useAnswer(`${user} ${only}`, () => client.planCleanup({ user, ...(only === null ? {} : { need: 0 }) }));
  return (
    <Dialog title={only === null ? `What a cleanup of ${user} would do` : `Free what does not respond, of ${user}`} onClose={onClose} wide>
      <Place what="plan" seen={plan}>
        {(data) => <PlanForm key={data.planId} plan={data} only={only} again={plan.again} onClose={onClose} />}
      </Place>
    </Dialog>
  );
}

type Level = CleanupPlan['levels'][number];

/** What running up to a level would do: its own part and those of the milder ones before it. */
function upTo(plan: CleanupPlan, level: CleanupLevelName): Pick<Level, 'evict' | 'keep'> & { readonly examined: number } {
  const end = plan.levels.findIndex((one) => one.level === level);
  const parts = plan.levels.slice(0, end + 1);
  return { evict: parts.flatMap(({ evict }) => evict), keep: parts.at(-1)?.keep ?? [], examined: parts[0]?.examined ?? 0 };
}

/** The last level that takes anybody at all. */
const furthest = (plan: CleanupPlan): CleanupLevelName => plan.levels.findLast(({ evict }) => evict.length > 0)?.level ?? 'conservative';

function PlanForm({ plan, only, again, onClose }: { plan: CleanupPlan; only: 'the dead' | null; again: () => void; onClose: () => void }) {
  const { client } = useGateway();
  const { operate } = useRights();
  const now = useNow(1_000);
  const name = useId();
  const [reason, setReason] = useState('');
  const [level, setLevel] = useState<CleanupLevelName>(only === null ? (plan.stopsAt ?? furthest(plan)) : furthest(plan));
  const [differences, setDifferences] = useState<readonly PlanDifference[]>([]);
  const run = useAct(async () => {
    setDifferences([]);
    try {
      const { cleanup } = await client.runPlan({ planId: plan.planId, level, reason: reason.trim() });
      onClose();
      go(href('cleanup', cleanup.run));
    } catch (error) {
      if (AdminProblem.is(error)) setDifferences(error.differences);
      throw error;
    }
  });
  const leftMs = plan.expiresAt - now;
  const chosen = upTo(plan, level);
  const refused =
    operate ??
    (chosen.evict.length === 0 ? 'nobody would go' : leftMs <= 0 ? 'the plan is over: plan again' : reason.trim() === '' ? 'it needs a reason' : null);
  return (
    <>
      <p className="muted">Nothing was changed yet. The gateway carries out exactly this, or refuses if anything it rests on has changed.</p>
      {only === null && (
        <ol className="plan">
          {plan.levels.map(({ level: one, evict, freeAfter }) => (
            <li key={one} data-chosen={one === level}>
              <label>
                <input type="radio" name={name} checked={one === level} onChange={() => setLevel(one)} />
                <b>{one}</b>
                <span>
                  {evict.length === 0
                    ? one === 'conservative'
                      ? 'nobody would go'
                      : 'nobody more'
                    : `${one === 'conservative' ? '' : '+'}${evict.length} would go`}
                  , then {plural(freeAfter, 'seat')} free
                  {one === plan.stopsAt && <span className="tag">would stop here</span>}
                </span>
              </label>
            </li>
          ))}
        </ol>
      )}
      <Victims evict={chosen.evict} keep={chosen.keep} />
      {differences.length > 0 && (
        <div className="note" role="alert">
          <p>
            <b>Nobody was evicted: it has changed since.</b>
          </p>
          <ul className="reasons">
            {differences.map(({ manager, change }) => (
              <li key={manager}>
                <code>{shortId(manager)}</code> {change}
              </li>
            ))}
          </ul>
        </div>
      )}
      {run.problem !== null && differences.length === 0 && (
        <p className="problem" role="alert">
          {run.problem}
        </p>
      )}
      <ReasonField value={reason} onChange={setReason} />
      <div className="dialog-actions">
        <span className="muted">{leftMs > 0 ? `This plan is good for another ${Math.ceil(leftMs / 1_000)} s` : 'This plan is over'}</span>
        <button type="button" className="button" onClick={again}>
          Plan again
        </button>
        <ActionButton refused={refused} busy={run.isActing} tone="danger" onClick={() => run.run()}>
          Free {plural(chosen.evict.length, 'seat')}
        </ActionButton>
      </div>
    </>
  );
}

function Victims({ evict, keep }: Pick<Level, 'evict' | 'keep'>) {
  return (
    <div className="plan-lists">
      <section aria-label="Would go">
        <h3>Would go: {evict.length}</h3>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard has to get into it */}
        <ul tabIndex={0}>
          {evict.map(({ manager, verdict, reason }) => (
            <li key={manager}>
              <Verdict verdict={verdict} /> <code title={manager}>{shortId(manager)}</code> <span className="muted">{reason}</span>
            </li>
          ))}
        </ul>
      </section>
      <section aria-label="Would stay">
        <h3>Would stay: {keep.length}</h3>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: as above */}
        <ul tabIndex={0}>
          {keep.map(({ manager, verdict, because }) => (
            <li key={manager}>
              <Verdict verdict={verdict} /> <code title={manager}>{shortId(manager)}</code> <span className="muted">{because}</span>
            </li>
          ))}
        </ul>
      </section>
    </div>
  );
}
