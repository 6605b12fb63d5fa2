/** Watching what is on the screen, and nothing else. */

import { useEffect, useRef, useState } from 'react';
import type { LiveTopic, LiveUpdate, Watch } from 'spillway/admin';
import { useGateway } from './gateway.ts';
import { usePaused } from './live-state.ts';

export type UpdateOf<K extends LiveTopic['of']> = Extract<LiveUpdate, { readonly of: K }>;
export type TopicOf<K extends LiveTopic['of']> = Extract<LiveTopic, { readonly of: K }>;

export interface Seen<K extends LiveTopic['of']> {
  /** The newest update; null before the first. */
  readonly data: UpdateOf<K> | null;
  /** Why the gateway cannot fill this; null while it does. */
  readonly problem: string | null;
}

/** Hands every update of a topic to `onUpdate`, while the component is there and nobody has paused. Null: nothing is watched.
 *  `always`: a pause does not stop it. Gives the watch, for its questions. */
export function useWatch<K extends LiveTopic['of']>(
  topic: TopicOf<K> | null,
  onUpdate: (data: UpdateOf<K>) => void,
  options: { readonly always?: boolean; readonly onProblem?: (detail: string) => void } = {},
): { readonly current: Watch | null } {
  const { live } = useGateway();
  const paused = usePaused() && options.always !== true;
  const watch = useRef<Watch | null>(null);
  const heard = useRef({ onUpdate, onProblem: options.onProblem });
  heard.current = { onUpdate, onProblem: options.onProblem };
  const spelled = topic === null ? null : JSON.stringify(topic);

  useEffect(() => {
    if (spelled === null || paused) return;
    const wanted = JSON.parse(spelled) as TopicOf<K>;
    const opened = live.watch(wanted, {
      update: (data) => heard.current.onUpdate(data as UpdateOf<K>),
      problem: (_, detail) => heard.current.onProblem?.(detail),
    });
    watch.current = opened;
    return () => {
      watch.current = null;
      opened.end();
    };
  }, [live, spelled, paused]);
  return watch;
}

/** The newest of a topic. It is forgotten when `topic` names something else than before, except for the window of a list. */
export function useTopic<K extends LiveTopic['of']>(topic: TopicOf<K> | null, options: { readonly always?: boolean } = {}): Seen<K> {
  const about = topic === null ? '' : JSON.stringify({ ...topic, window: undefined });
  const [seen, setSeen] = useState<Seen<K> & { readonly about: string }>({ about, data: null, problem: null });
  useWatch<K>(topic, (data) => setSeen({ about, data, problem: null }), {
    ...options,
    onProblem: (problem) => setSeen((before) => ({ about, data: before.about === about ? before.data : null, problem })),
  });
  return seen.about === about ? seen : { data: null, problem: null };
}
