import type { SessionInfo, VerdictName } from '../../protocol/messages.ts';

export interface SessionLine {
  readonly label: string;
  readonly state: string;
  /** Seconds since anything proved that this session's page is alive. */
  readonly heardSecondsAgo: number;
  readonly openMinutes: number;
  readonly answering: boolean;
  readonly seat: 'soft' | 'burst';
  readonly current: boolean;
}

/** What a person reads for a verdict. */
const IN_WORDS: Readonly<Record<VerdictName, string>> = {
  healthy: 'in use',
  idle: 'open, quiet',
  suspect: 'slow to answer',
  zombie: 'not responding',
  inactive: 'connection lost',
  unknown: 'not checked yet',
};

/** A person's sessions in words, the one heard of most recently first. */
export function describeSessions(sessions: readonly SessionInfo[], wallMs: number): readonly SessionLine[] {
  return sessions
    .toSorted((a, b) => b.lastEvidenceAt - a.lastEvidenceAt)
    .map((session) => ({
      label: session.label ?? session.client,
      state: session.connected ? IN_WORDS[session.verdict] : IN_WORDS.inactive,
      heardSecondsAgo: Math.max(0, Math.round((wallMs - session.lastEvidenceAt) / 1000)),
      openMinutes: Math.max(0, Math.round((wallMs - session.openedAt) / 60_000)),
      answering: session.running,
      seat: session.seat,
      current: session.current,
    }));
}
