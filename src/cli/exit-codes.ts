/** What the exit status tells a script. `check` alone has those of Nagios. */
export const EXIT = { done: 0, failed: 1, usage: 2, unreachable: 3, refused: 4, partly: 5 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** What `spillway check` exits with, as Nagios and its descendants read it. */
export const CHECK_EXIT = { ok: 0, warning: 1, critical: 2, unknown: 3 } as const;
