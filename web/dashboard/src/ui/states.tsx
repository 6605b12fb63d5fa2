/** What stands in the place of figures that are not there. */

import type { ReactNode } from 'react';

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
      {children(seen.data)}
    </>
  );
}
