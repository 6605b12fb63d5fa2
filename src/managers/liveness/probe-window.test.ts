import { describe, expect, it } from 'vitest';
import { fresh, manager, NOW, OPTIONS } from '../../../test/support/evidence.ts';
import { nextProbe } from '../../core/ask.ts';
import { type Attentive, attentive, mono } from '../../core/clocks.ts';
import type { Evidence } from '../../core/evidence.ts';
import { onAck, onGap, onProbe, onProbeFlushed, onProbeOk, onSent } from '../../core/gather.ts';
import { judge } from '../../core/judge.ts';
import type { UserId } from '../../protocol/ids.ts';
import { type Probed, ProbeWindow } from './probe-window.ts';

/** A page 40 ms away: it is given 200 ms for an answer. */
class Page implements Probed {
  readonly user: { readonly userId: UserId };
  evidence: Evidence;
  constructor(user: string, n: number) {
    this.user = { userId: user as UserId };
    this.evidence = fresh({ managerId: manager(n), userId: this.user.userId, srttMs: 40, rttvarMs: 5 });
  }
  observe(change: (e: Evidence) => Evidence): void {
    this.evidence = change(this.evidence);
  }
}

class Scene {
  now: Attentive = NOW;
  pressure = 0;
  readonly voided: Page[] = [];
  readonly ends: string[] = [];
  readonly pages: Page[] = [];
  readonly window = new ProbeWindow<Page>({
    options: OPTIONS,
    now: () => this.now,
    mono: () => mono(this.now),
    score: () => 0,
    pressure: () => this.pressure,
    voided: (pages) => this.voided.push(...pages),
    ended: (page, result, durationMs) => this.ends.push(`${page.evidence.managerId} ${result} ${durationMs}`),
  });

  /** `pages` of a user each. */
  users(pages: Readonly<Record<string, number>>): this {
    for (const [user, count] of Object.entries(pages)) for (let i = 0; i < count; i++) this.pages.push(new Page(user, this.pages.length));
    return this;
  }
  at(ms: number): this {
    this.now = attentive(NOW + ms);
    this.window.settle();
    return this;
  }
  ask(pages: readonly Page[] = this.pages): this {
    for (const page of pages) {
      this.window.opened(page);
      page.observe((e) => onProbeFlushed(onProbe(e, 0, this.now, OPTIONS.health.stallGapMs), this.now));
      this.window.asked(page);
    }
    return this;
  }
  answer(pages: readonly Page[]): this {
    for (const page of pages) {
      page.observe((e) => onProbeOk(e, { counts: true, rttMs: 40 }, this.now));
      this.window.answered(page);
    }
    return this;
  }
  of(user: string): Page[] {
    return this.pages.filter((page) => page.user.userId === user);
  }
  verdict(page: Page): string {
    const { is, reason } = judge(page.evidence, null, { score: 0, correlated: this.window.isCorrelated(page.user.userId) }, this.pressure, OPTIONS, this.now);
    return `${is} (${reason})`;
  }
}

const MANY = { ada: 2, bob: 2, cleo: 2, dan: 2 } as const;

describe('many that fall silent together', () => {
  it('are voided once, asked again after two seconds, and found by their second silence', () => {
    const scene = new Scene().users(MANY).at(11_000).ask().at(11_199);
    expect(scene.voided).toEqual([]);
    scene.at(11_200);
    expect(scene.voided).toHaveLength(8);
    for (const page of scene.pages) {
      expect(scene.verdict(page)).toBe('unknown (correlated)');
      expect(nextProbe(page.evidence, 'calm', OPTIONS, scene.now)).toEqual({ do: 'wait', until: NOW + 13_000 });
    }
    scene.at(13_000).ask().at(13_200);
    expect(scene.voided).toHaveLength(8);
    for (const page of scene.pages) expect(scene.verdict(page)).toBe('suspect (probe-missed)');
    expect(scene.window.counts).toEqual({ answered: 0, missed: 8, voided: 8 });
  });

  it('are found dead within four seconds of the first question', () => {
    const scene = new Scene().users(MANY);
    scene.pressure = 1;
    scene.at(20_000).ask().at(20_200).at(22_000).ask().at(22_200);
    for (const page of scene.pages) expect(scene.verdict(page)).toBe('zombie (probe-timeout)');
  });

  it('include who fell silent first, before it could be seen that it was not alone', () => {
    const scene = new Scene().users(MANY).at(11_200);
    const [first, ...others] = scene.pages as [Page, ...Page[]];
    scene.ask([first]).at(11_400);
    expect(scene.verdict(first)).toBe('suspect (probe-missed)');
    scene.at(12_000).ask(others).at(12_200);
    expect(scene.voided).toContain(first);
    expect(scene.verdict(first)).toBe('unknown (correlated)');
  });

  it('are no correlation two seconds apart', () => {
    const scene = new Scene().users(MANY);
    scene.at(11_000).ask(scene.pages.slice(0, 4)).at(11_200);
    scene.at(13_300).ask(scene.pages.slice(4)).at(13_500);
    expect(scene.voided).toEqual([]);
  });

  it('that answer late have answered, and fall silent anew another time', () => {
    const scene = new Scene().users(MANY).at(11_000).ask().at(11_200);
    scene.at(11_900).answer(scene.pages);
    expect(scene.window.isCorrelated('ada' as UserId)).toBe(false);
    scene.at(30_000).ask().at(30_200);
    expect(scene.voided).toHaveLength(16);
  });
});

describe('what is no correlation', () => {
  it('twenty frozen tabs of one user, whoever is judged', () => {
    const scene = new Scene().users({ ada: 20, bob: 1, cleo: 1 }).at(11_000).ask().at(11_050);
    scene.answer([...scene.of('bob'), ...scene.of('cleo')]).at(11_200);
    expect(scene.voided).toEqual([]);
    for (const page of scene.of('ada')) expect(scene.verdict(page)).toBe('suspect (probe-missed)');
  });

  it('four in ten of those who were never well', () => {
    const scene = new Scene().users(MANY).at(11_000).ask().at(11_200).at(13_000).ask().at(13_200);
    scene.voided.length = 0;
    for (const page of scene.pages) page.observe((e) => ({ ...e, probe: null }));
    scene.at(30_000).ask().at(30_200);
    expect(scene.voided).toEqual([]);
  });

  it('silence while more than seven in ten answer', () => {
    const scene = new Scene()
      .users({ ...MANY, eve: 30 })
      .at(11_000)
      .ask()
      .at(11_040);
    scene.answer(scene.of('eve')).at(11_200);
    expect(scene.voided).toEqual([]);
  });

  it('our own stall, which is voided by itself', () => {
    const scene = new Scene().users(MANY).at(11_000).ask();
    for (const page of scene.pages) page.observe((e) => onGap(e, 150));
    scene.at(11_200);
    expect(scene.voided).toEqual([]);
    expect(scene.window.counts).toEqual({ answered: 0, missed: 0, voided: 8 });
    expect(scene.window.isCorrelated('zoe' as UserId)).toBe(false);
  });

  it('who acknowledges instead of answering', () => {
    const scene = new Scene().users(MANY).at(11_000).ask().at(11_100);
    for (const page of scene.pages) page.observe((e) => onAck(onSent(e, { events: 1, bytes: 9, critical: false }, scene.now), { bytes: 9 }, null, scene.now));
    scene.at(11_200);
    expect(scene.voided).toEqual([]);
    expect(scene.window.counts.missed).toBe(0);
  });
});

it('a question that is asked again while it is out is counted once', () => {
  const scene = new Scene().users({ ada: 1 }).at(11_000).ask().at(11_200).at(13_000).ask().at(13_200).at(15_000).ask().at(15_200);
  expect(scene.window.counts).toEqual({ answered: 0, missed: 1, voided: 0 });
});

it('nobody is waited for whose transport is gone', () => {
  const scene = new Scene().users(MANY).at(11_000).ask();
  for (const page of scene.pages) scene.window.forget(page);
  scene.at(11_200);
  expect(scene.window.counts.missed).toBe(0);
});

describe('a question', () => {
  const results = (scene: Scene) => scene.ends.map((end) => end.split(' ').slice(1).join(' '));

  it('has one end: an answer, however often it was asked meanwhile', () => {
    const scene = new Scene().users({ ada: 1 }).at(11_000).ask().at(11_100).ask();
    expect(results(scene)).toEqual([]);
    scene.answer(scene.pages).answer(scene.pages);
    expect(results(scene)).toEqual(['answered 100']);
  });

  it('whose patience is over is answered no more; the next one is another', () => {
    const scene = new Scene().users({ ada: 1 }).at(11_000).ask().at(11_200);
    expect(results(scene)).toEqual(['timeout 200']);
    scene.at(11_900).answer(scene.pages);
    expect(results(scene)).toEqual(['timeout 200']);
    scene.at(30_000).ask().at(30_050).answer(scene.pages);
    expect(results(scene)).toEqual(['timeout 200', 'answered 50']);
  });

  it('that many leave unanswered together is voided, and asked again as another one', () => {
    const scene = new Scene().users(MANY).at(11_000).ask().at(11_200);
    expect(new Set(results(scene))).toEqual(new Set(['correlated_voided 200']));
    scene.at(13_000).ask().at(13_200);
    expect(results(scene).slice(8)).toEqual(Array(8).fill('timeout 200'));
  });

  it('that could not be written has failed, unless an older one is out; one whose transport went has no end', () => {
    const scene = new Scene().users({ ada: 2 }).at(11_000);
    const [page, other] = scene.pages as [Page, Page];
    scene.window.opened(page);
    scene.window.failed(page);
    scene.ask([other]);
    scene.window.opened(other);
    scene.window.failed(other);
    expect(results(scene)).toEqual(['failed 0']);
    scene.window.forget(other);
    scene.at(12_000).answer([other]);
    expect(results(scene)).toEqual(['failed 0']);
  });
});
