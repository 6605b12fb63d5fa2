import { SimulatedClient } from './client.ts';
import { makeTraits, TROUBLES, type UserPlan } from './plan.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { World } from './world.ts';

const PAGES_MAX = 12;

/** Somebody with several pages open, who opens, closes and looks at them, and whose devices and networks fail. */
export class Person {
  readonly plan: UserPlan;
  readonly pages: SimulatedClient[] = [];
  readonly #world: World;
  readonly #random: SeededRandom;
  #opened = 0;

  constructor(world: World, plan: UserPlan, random: SeededRandom) {
    this.plan = plan;
    this.#world = world;
    this.#random = random;
    for (let i = 0; i < plan.pages; i++) world.clock.world(random.share() * 1_500, () => this.#open());
    this.#every(plan.actEveryMs, () => this.#act());
    this.#every(plan.troubleEveryMs, () => this.#trouble());
  }

  #every(meanMs: number, act: () => void): void {
    this.#world.clock.world(this.#random.share() * 2 * meanMs, () => {
      if (!this.#world.isQuiet) act();
      this.#every(meanMs, act);
    });
  }

  #open(): void {
    if (this.#world.isQuiet || this.pages.filter((p) => p.state !== 'left').length >= PAGES_MAX) return;
    const page = new SimulatedClient(makeTraits(this.#random, this.plan, `${this.plan.id}#${++this.#opened}`), this.#world);
    this.pages.push(page);
    this.#world.watcher.opened(page);
    page.dial('user');
  }

  #pick(state: SimulatedClient['state']): SimulatedClient | null {
    const fit = this.pages.filter((p) => p.state === state);
    return fit.length === 0 ? null : this.#random.pick(fit);
  }

  #act(): void {
    const dice = this.#random.share();
    if (dice < 0.35) this.#open();
    else if (dice < 0.55) this.#pick('superseded')?.dial('user');
    else if (dice < 0.7) this.#pick('ready')?.leave(this.#random.pick(['left', 'left', 'parked', 'killed']));
    else if (dice < 0.75) this.#pick('queued')?.leave(this.#random.pick(['left', 'killed']));
    else if (dice < 0.85) this.#pick('ready')?.say();
    else if (dice < 0.9) this.#pick('ready')?.show(this.#random.pick(['visible', 'hidden']));
    else if (dice < 0.93) this.#pin();
    else this.#free();
  }

  #pin(): void {
    const page = this.#pick('ready');
    const manager = page === null || this.#world.clock.isStalled ? null : this.#world.managerOf(page);
    if (manager?.pinned) manager.unpin();
    else manager?.pin();
  }

  /** Frees one of the own sessions, wherever it is. */
  #free(): void {
    const { clock, factory, watcher } = this.#world;
    if (clock.isStalled) return;
    const managers = factory.list(this.plan.id);
    if (managers.length === 0) return;
    const { id } = this.#random.pick(managers);
    clock.touch();
    this.#world.trace(() => `${this.plan.id} frees ${id}`);
    watcher.personFrees(this.plan.id);
    factory.evict(id, { reason: 'user-freed', by: 'another page' }).catch(() => {});
  }

  #trouble(): void {
    const page = this.#pick('ready');
    const { connection } = page ?? {};
    if (page === null || connection == null || page.traits.wakesEveryMs !== null) return;
    const kind = this.#random.pick(TROUBLES);
    const { clock, watcher } = this.#world;
    // Some end by themselves, some never.
    const forMs = this.#random.chance(0.5) ? this.#random.int(100, 4_000) : Number.POSITIVE_INFINITY;
    const later = (undo: () => void): void => {
      if (Number.isFinite(forMs)) clock.world(forMs, undo);
    };
    this.#world.trace(() => `${page.name}: ${kind} for ${forMs} ms`);
    switch (kind) {
      case 'freeze':
      case 'nap':
        // The application stands still, what is below it goes on. A nap always ends soon.
        page.freeze();
        watcher.fellSilent(page, 'application');
        clock.world(kind === 'nap' ? this.#random.int(20, 400) : Math.min(forMs, 1e9), () => this.#thaw(page));
        return;
      case 'stop':
        page.freeze();
        page.answersPings = false;
        watcher.fellSilent(page, 'transport');
        later(() => {
          page.answersPings = true;
          this.#thaw(page);
        });
        return;
      case 'choke':
        page.choke();
        watcher.fellSilent(page, 'transport');
        later(() => {
          watcher.spoke(page);
          page.gulp();
        });
        return;
      case 'silence':
        page.troubledAt = clock.now;
        connection.silence();
        watcher.fellSilent(page, 'transport');
        later(() => {
          page.troubledAt = clock.now;
          watcher.spoke(page);
          connection.speak();
        });
        return;
      case 'reset':
        page.troubledAt = clock.now;
        connection.clientReset();
        return;
      case 'close':
        page.troubledAt = clock.now;
        connection.clientClose(1001);
        return;
    }
  }

  #thaw(page: SimulatedClient): void {
    this.#world.watcher.spoke(page);
    page.thaw();
  }

  /** Whatever was wrong with the pages is over. */
  heal(): void {
    for (const page of this.pages) {
      if (page.traits.wakesEveryMs !== null) continue;
      this.#world.watcher.spoke(page);
      if (page.connection?.isSilent) page.troubledAt = this.#world.clock.now;
      page.answersPings = true;
      page.connection?.speak();
      if (!page.reads) page.gulp();
      if (page.isFrozen) page.thaw();
    }
  }
}
