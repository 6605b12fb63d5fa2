import { Session } from 'node:inspector/promises';

const SAMPLE_EVERY_US = 500;

export interface Profile {
  /** Share of a core that was spent below a function of the live topics. */
  readonly liveShare: number;
  /** Share of a core that was spent at all. */
  readonly busyShare: number;
  /** Functions by what was spent in themselves below the live topics, in per cent of a core. */
  readonly top: readonly { readonly name: string; readonly corePercent: number }[];
}

/** Samples what runs in this process while `wait` lasts. */
export async function profile(wait: () => Promise<void>): Promise<Profile> {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.setSamplingInterval', { interval: SAMPLE_EVERY_US });
  await session.post('Profiler.start');
  await wait();
  const { profile } = await session.post('Profiler.stop');
  session.disconnect();
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const parents = new Map<number, number>();
  for (const node of profile.nodes) for (const child of node.children ?? []) parents.set(child, node.id);
  const isLive = new Map<number, boolean>();
  const live = (id: number): boolean => {
    const known = isLive.get(id);
    if (known !== undefined) return known;
    const node = nodes.get(id);
    const parent = parents.get(id);
    const answer = node?.callFrame.url.includes('/gateway/live/') === true || (parent !== undefined && live(parent));
    isLive.set(id, answer);
    return answer;
  };
  const totalUs = profile.endTime - profile.startTime;
  const spent = new Map<string, number>();
  let liveUs = 0;
  let idleUs = 0;
  for (const [index, id] of (profile.samples ?? []).entries()) {
    const us = profile.timeDeltas?.[index] ?? 0;
    const node = nodes.get(id);
    if (node?.callFrame.functionName === '(idle)') idleUs += us;
    if (!live(id)) continue;
    liveUs += us;
    const file = node?.callFrame.url.split('/').slice(-2).join('/') ?? '';
    const name = `${node?.callFrame.functionName || '(anonymous)'} ${file}`.trim();
    spent.set(name, (spent.get(name) ?? 0) + us);
  }
  const top = [...spent].toSorted((a, b) => b[1] - a[1]).slice(0, 8);
  return {
    liveShare: liveUs / totalUs,
    busyShare: 1 - idleUs / totalUs,
    top: top.map(([name, us]) => ({ name, corePercent: (100 * us) / totalUs })),
  };
}
