import { AdminProblem, LiveConnection, type LiveTopic, type LiveUpdate } from '../admin/index.ts';
import type { Target } from './target.ts';

const WITHIN_MS = 5_000;

/** An update about one kind of thing. */
export type UpdateOf<K extends LiveTopic['of']> = Extract<LiveUpdate, { readonly of: K }>;

/** A live connection with the target's key. */
export const liveAt = ({ url, key }: Target): LiveConnection => new LiveConnection({ url, key: key ?? '' });

/** What the gateway first says about a topic. @throws AdminProblem if it does not take us, or says nothing in time */
export async function firstUpdate<K extends LiveTopic['of']>(target: Target, topic: Extract<LiveTopic, { readonly of: K }>): Promise<UpdateOf<K>> {
  const live = liveAt(target);
  try {
    return await firstOf(live, topic, target.url);
  } finally {
    live.close();
  }
}

/** The same on a connection that goes on. */
export function firstOf<K extends LiveTopic['of']>(
  live: LiveConnection,
  topic: Extract<LiveTopic, { readonly of: K }>,
  url: string,
  withinMs: number = WITHIN_MS,
): Promise<UpdateOf<K>> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      clearTimeout(timer);
      stopListening();
      watch.end();
    };
    const fail = (problem: AdminProblem): void => {
      settle();
      reject(problem);
    };
    const look = (): void => {
      const problem = problemOf(live, url);
      if (problem !== null) fail(problem);
    };
    const timer = setTimeout(
      () => fail(new AdminProblem('unreachable', `Expected the gateway at ${url} to tell its figures within ${withinMs} ms, but it said nothing.`)),
      withinMs,
    );
    const stopListening = live.onState(look);
    const watch = live.watch(topic, {
      update(data) {
        settle();
        resolve(data as UpdateOf<K>);
      },
      problem: (code, detail) => fail(new AdminProblem(code as AdminProblem['code'], detail)),
    });
  });
}

/** Why there is no live connection, where waiting would not be what a command wants. */
export function problemOf(live: LiveConnection, url: string): AdminProblem | null {
  const { state } = live;
  if (state.name === 'refused') return new AdminProblem(state.code as AdminProblem['code'], state.detail);
  if (state.name === 'lost') return new AdminProblem('unreachable', `Expected a live connection to the gateway at ${url}, but ${state.detail}.`);
  return null;
}
