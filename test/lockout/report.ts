import type { Attempt } from './attempt.ts';
import type { EpochResult } from './epoch.ts';

/** Acts around an attempt that are told with its story. */
const AROUND_MS = 2_000;

const percentile = (sorted: readonly number[], share: number): number => sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? 0;

/** The attempt that came closest to what it may wait for an answer, and its gateway. */
export function worstOf(results: readonly EpochResult[]): { readonly result: EpochResult; readonly attempt: Attempt } | null {
  let worst: { result: EpochResult; attempt: Attempt } | null = null;
  for (const result of results)
    for (const attempt of result.attempts)
      if (attempt.intent === 'user' && attempt.outcome === 'seated' && (worst === null || attempt.share > worst.attempt.share)) worst = { result, attempt };
  return worst;
}

/** Lines about others that are told at most. */
const OTHERS_MAX = 80;

/** An attempt's own story, and what happened to its gateway and to the other tabs of its person meanwhile. */
export function storyOf(result: EpochResult, attempt: Attempt): string {
  const to = (attempt.trace.at(-1)?.at ?? attempt.startedAt) + 1;
  const isNear = ({ at }: { readonly at: number }): boolean => at > attempt.startedAt - AROUND_MS && at < to;
  const others = result.attempts.filter((other) => other.user === attempt.user && other !== attempt);
  const aside = others.flatMap((other) => other.trace.filter(isNear).map(({ at, text }) => ({ at, text: `  ${other.name} (${other.intent}): ${text}` })));
  const lines = [
    ...attempt.trace.map(({ at, text }) => ({ at, text: `* ${text}` })),
    ...result.chronicle.filter(isNear).map(({ at, text }) => ({ at, text: `  … ${text}` })),
    ...aside.sort((a, b) => a.at - b.at).slice(-OTHERS_MAX),
  ].sort((a, b) => a.at - b.at);
  const told = lines.map(({ at, text }) => `  ${String(Math.round(at - attempt.startedAt)).padStart(6)} ms ${text}`);
  return [`gateway ${result.number}: ${result.says}`, `${attempt.name}: ${attempt.user}, ${attempt.intent}, ${attempt.outcome ?? 'not over'}`, ...told].join(
    '\n',
  );
}

/** The whole search in words: figures, the story of the worst, and of every violation with the command that repeats it. */
export function report(results: readonly EpochResult[], seed: number, minutes: number): string {
  const worst = worstOf(results);
  const stories = results.flatMap((result) =>
    result.violations.flatMap((violation) => [
      `VIOLATION: ${violation.what}`,
      storyOf(result, violation.attempt),
      `replay: npm run test:lockout -- --seed ${seed} --minutes ${minutes} --only ${result.number}`,
    ]),
  );
  const told =
    worst === null ? [] : [`The worst, ${Math.round(worst.attempt.longestMs)} ms of ${worst.attempt.boundMs} ms:`, storyOf(worst.result, worst.attempt)];
  return [figures(results, seed, minutes), ...told, ...stories, `Again: npm run test:lockout -- --seed ${seed} --minutes ${minutes}`].join('\n');
}

/** What was tried and what came of it. */
export function figures(results: readonly EpochResult[], seed: number, minutes: number): string {
  const attempts = results.flatMap((result) => result.attempts);
  const persons = attempts.filter((attempt) => attempt.intent === 'user');
  const alone = attempts.filter((attempt) => attempt.intent === 'auto');
  const seated = persons.filter((attempt) => attempt.outcome === 'seated');
  const waits = seated.map((attempt) => attempt.longestMs).sort((a, b) => a - b);
  const shares = seated.map((attempt) => attempt.share).sort((a, b) => a - b);
  const percent = (sorted: readonly number[], at: number): string => `${Math.round(100 * percentile(sorted, at))} %`;
  const count = (list: readonly Attempt[], is: (attempt: Attempt) => boolean): number => list.filter(is).length;
  const sum = (of: (result: EpochResult) => number): number => results.reduce((total, result) => total + of(result), 0);
  const merged = (of: (result: EpochResult) => Readonly<Record<string, number>>): string => {
    const total: Record<string, number> = {};
    for (const result of results) for (const [name, n] of Object.entries(of(result))) total[name] = (total[name] ?? 0) + n;
    return Object.entries(total)
      .sort(([, a], [, b]) => b - a)
      .map(([name, n]) => `${name} ${n}`)
      .join(', ');
  };
  return [
    `Lockout search: seed ${seed}, ${minutes} min, ${results.length} gateways, ${attempts.length} attempts.`,
    `  acts: ${merged((result) => result.counts)}`,
    `  ${sum((result) => result.cleanups)} cleanups freed ${sum((result) => result.evicted)} seats; the gateways stalled for ${(sum((result) => result.stalledMs) / 1_000).toFixed(1)} s`,
    `  records of trouble: ${merged((result) => result.troubles) || 'none'}`,
    `  attempts of persons: ${persons.length}. Seated ${seated.length}: at once ${count(seated, (a) => !a.queued && a.refusals === 0)}, after a queue ${count(seated, (a) => a.queued)}, at a time they were told ${count(seated, (a) => a.refusals > 0)}, after a redial ${count(seated, (a) => a.redials > 0)}`,
    `    left by themselves ${count(persons, (a) => a.outcome === 'left')}, replaced by their own twin ${count(persons, (a) => a.outcome === 'superseded')}, cut off by the end of a gateway ${count(persons, (a) => a.outcome === null)}, longest chain of "the node is full" ${Math.max(0, ...persons.map((a) => a.nodeRefusals))}`,
    `  attempts of pages alone: ${alone.length}. Seated ${count(alone, (a) => a.outcome === 'seated')}, told a time ${count(alone, (a) => a.trace.some(({ text }) => text.startsWith('told')))}`,
    `  wait for an answer in attentive ms: p50 ${Math.round(percentile(waits, 0.5))}, p99 ${Math.round(percentile(waits, 0.99))}, max ${Math.round(waits.at(-1) ?? 0)}`,
    `  the same as a share of what is allowed (the queue’s time and 500 ms): p50 ${percent(shares, 0.5)}, p99 ${percent(shares, 0.99)}, max ${percent(shares, 1)}`,
    `  ${sum((result) => result.violations.length)} violations`,
  ].join('\n');
}
