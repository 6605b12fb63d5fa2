import { useNow } from '../../../chat/src/ui/clock.ts';
import { useLiveState, useWelcome } from '../live/live-state.ts';

const WORDS = {
  connecting: ['waiting', 'connecting'],
  live: ['good', 'live'],
  silent: ['waiting', 'no answer'],
  lost: ['bad', 'disconnected'],
  resting: ['paused', 'resting'],
  refused: ['bad', 'refused'],
  closed: ['bad', 'closed'],
} as const;

/** One word beside the name. */
export function ConnectionSign() {
  const state = useLiveState();
  const [tone, word] = WORDS[state.name];
  return (
    <span className="connection" data-state={state.name}>
      <span className="dot" data-tone={tone} />
      {word}
    </span>
  );
}

/** What is wrong with the connection, since when, and what happens about it. Nothing while it is live. */
export function ConnectionBanner() {
  const state = useLiveState();
  const welcome = useWelcome();
  const now = useNow(500, state.name === 'silent' || state.name === 'lost');
  const seconds = (since: number): string => `${Math.max(0, Math.round((now - since) / 1_000))} s`;
  switch (state.name) {
    case 'live':
    case 'closed':
      return null;
    case 'resting':
      return null;
    case 'connecting':
      return welcome === null ? <p className="banner">Connecting to the gateway …</p> : null;
    case 'silent':
      return (
        <p className="banner" data-tone="waiting">
          No answer for {seconds(state.since)}. The figures below are the last that came.
        </p>
      );
    case 'lost':
      return (
        <p className="banner" data-tone="bad">
          Disconnected for {seconds(state.since)}: {state.detail}. {welcome === null ? 'Nothing is known yet.' : 'The figures below are the last that came.'}{' '}
          {state.retryAt > now ? `Next attempt in ${Math.ceil((state.retryAt - now) / 1_000)} s.` : 'Trying again now.'}
        </p>
      );
    case 'refused':
      return (
        <p className="banner" data-tone="bad">
          The gateway refuses: {state.detail}
        </p>
      );
  }
}
