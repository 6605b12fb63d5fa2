/** What stands in the place of figures that are not there. */

import type { ReactNode } from 'react';
import { useWelcome } from '../live/live-state.ts';

/** There is nothing, and that is known. */
export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="nothing">
      <p className="nothing-title">{title}</p>
      {children !== undefined && <div className="muted">{children}</div>}
    </div>
  );
}

/** Asked, and not answered yet. */
export function Loading({ what }: { what: string }) {
  return (
    <div className="nothing" aria-busy="true">
      <p className="muted">Asking the gateway for {what} …</p>
    </div>
  );
}

export function Failed({ what, problem, again }: { what: string; problem: string; again?: () => void }) {
  return (
    <div className="nothing">
      <p className="nothing-title">No {what}</p>
      <p className="problem">{problem}</p>
      {again !== undefined && (
        <button type="button" className="button" onClick={again}>
          Ask again
        </button>
      )}
    </div>
  );
}

/** Nodes that share the store and did not answer in time: nothing of them is in what is shown. */
function Unanswered({ nodes }: { nodes: readonly string[] }) {
  if (nodes.length === 0) return null;
  return (
    <p className="banner" data-tone="waiting" role="status">
      {nodes.join(', ')} did not answer: nothing of {nodes.length === 1 ? 'that node' : 'those nodes'} is in what you see.
    </p>
  );
}

/** Says that what is below is of the one node that is asked, where there may be others. */
export function OwnNode({ what }: { what: string }) {
  const welcome = useWelcome();
  if (welcome?.features.includes('nodes') !== true) return null;
  return (
    <p className="muted own-node">
      {what} of <b>{welcome.node}</b> alone, the node that this page asks.
    </p>
  );
}

/** The place of a figure, a list or a screen: loading, failed, or what is known. */
export function Place<T>({
  what,
  seen,
  children,
}: {
  what: string;
  seen: { readonly data: T | null; readonly problem: string | null; again?(): void };
  children: (data: T) => ReactNode;
}) {
  if (seen.data === null) {
    return seen.problem === null ? (
      <Loading what={what} />
    ) : (
      <Failed what={what} problem={seen.problem} {...(seen.again === undefined ? {} : { again: seen.again })} />
    );
  }
  return (
    <>
      {seen.problem !== null && <p className="problem">The newest answer was a refusal: {seen.problem}</p>}
      <Unanswered nodes={(seen.data as { readonly unanswered?: readonly string[] }).unanswered ?? []} />
      {children(seen.data)}
    </>
  );
}
