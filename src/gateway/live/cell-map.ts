import type { WebSocketManagerFactory } from '../../managers/factory.ts';
import type { WebSocketManager } from '../../managers/manager.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ManagerId, Tier, UserId } from '../../protocol/ids.ts';
import type { LiveUpdate } from '../../protocol/live.ts';
import type { VerdictName } from '../../protocol/messages.ts';
import { Slices } from './slices.ts';
import type { Source } from './source.ts';
import { standingOf } from './standing-of.ts';

const EVERY_MS = 1_000;
const FIRST_CELLS = 1_024;
/** Cells that are looked at in each round for what no event tells of, such as a page that was hidden: up to here the map is never older
 *  than a second, and with 100,000 managers never older than 20 s in those bits. */
const SWEPT_PER_LOOK = 5_000;
/** Unchanged cells between two changed ones that cost less than the head of a run of its own. */
const JOINED_GAP = 10;
/** Share of changed cells from which on the whole map is shorter than its runs. */
const WHOLE_SHARE = 1 / 4;

const VERDICT_BITS: Readonly<Record<VerdictName, number>> = { healthy: 1, idle: 2, suspect: 3, zombie: 4, inactive: 5, unknown: 6 };
const TIER_SHIFT = 3;
/** Two bits: tiers from the fourth on share a number. */
const TIER_MOST = 3;
const RUN = 1 << 5;
const VISIBLE = 1 << 6;
const BURST = 1 << 7;

/** A byte for each manager that holds a seat, in a cell that is its own for its life. Built by one look at everybody when somebody begins
 *  to watch, then kept up at the state changes. */
export class CellMap implements Source {
  readonly everyMs = EVERY_MS;
  readonly stamp = 0;
  readonly #factory: WebSocketManagerFactory;
  readonly #clock: Clock;
  readonly #tiers: ReadonlyMap<Tier, number>;
  readonly #cells = new Map<ManagerId, number>();
  readonly #managers: (WebSocketManager | null)[] = [];
  readonly #free: number[] = [];
  /** Of whom something happened since the last look. */
  #touched = new Set<ManagerId>();
  #touchedUsers = new Set<UserId>();
  readonly #stops: readonly (() => void)[];
  #bytes = Buffer.alloc(FIRST_CELLS);
  #isChanged = new Uint8Array(FIRST_CELLS);
  #changed: number[] = [];
  #size = 0;
  #swept = 0;
  #isBuilt = false;
  #isOver = false;
  #news: string | null = null;

  /** `tiers`: in the order of their numbers. */
  constructor(factory: WebSocketManagerFactory, clock: Clock, tiers: readonly Tier[]) {
    this.#factory = factory;
    this.#clock = clock;
    this.#tiers = new Map(tiers.map((tier, index) => [tier, Math.min(index, TIER_MOST)]));
    const touched = ({ managerId }: { readonly managerId: ManagerId }): unknown => this.#touched.add(managerId);
    const touchedUser = ({ user }: { readonly user: UserId }): unknown => this.#touchedUsers.add(user);
    this.#stops = [
      factory.on('manager-seated', touched),
      factory.on('verdict-changed', touched),
      factory.on('manager-ended', touched),
      factory.on('run-started', touchedUser),
      factory.on('run-ended', touchedUser),
      factory.on('burst-changed', touchedUser),
    ];
  }

  /** Who has a cell; null: nobody. */
  who(cell: number): { readonly manager: ManagerId; readonly user: UserId } | null {
    const manager = this.#managers[cell];
    return manager === undefined || manager === null ? null : { manager: manager.id, user: manager.user.userId };
  }

  async look(): Promise<void> {
    const slices = new Slices(this.#clock, () => this.#isOver);
    if (!this.#isBuilt) {
      this.#isBuilt = await slices.each(this.#factory.all(), (manager) => this.#place(manager));
      this.#takeChanges();
      return;
    }
    const [touched, users] = [this.#touched, this.#touchedUsers];
    this.#touched = new Set();
    this.#touchedUsers = new Set();
    await slices.each(touched, (id) => this.#look(id));
    await slices.each(users, (user) => {
      for (const manager of this.#factory.list(user)) this.#place(manager);
    });
    await this.#sweep(slices);
    await slices.next();
    const changed = this.#takeChanges();
    this.#news = changed.length === 0 ? null : this.#told(changed.length > this.#size * WHOLE_SHARE ? null : changed);
  }

  whole(): string | null {
    return this.#isBuilt ? this.#told(null) : null;
  }

  news(): string | null {
    return this.#news;
  }

  end(): void {
    this.#isOver = true;
    for (const stop of this.#stops) stop();
  }

  // ---- cells

  #place(manager: WebSocketManager): void {
    const byte = this.#byteOf(manager);
    if (byte === 0) {
      this.#vacate(manager.id);
      return;
    }
    let cell = this.#cells.get(manager.id);
    if (cell === undefined) {
      cell = this.#free.pop() ?? this.#size++;
      if (cell >= this.#bytes.length) this.#grow();
      this.#cells.set(manager.id, cell);
    }
    this.#managers[cell] = manager;
    this.#set(cell, byte);
  }

  #look(id: ManagerId): void {
    // Mostly it is still the one in its cell, and no second look-up among a hundred thousand is needed.
    const cell = this.#cells.get(id);
    const known = cell === undefined ? null : (this.#managers[cell] ?? null);
    const byte = known === null ? 0 : this.#byteOf(known);
    if (cell !== undefined && byte !== 0) {
      this.#set(cell, byte);
      return;
    }
    const manager = this.#factory.find(id);
    if (manager === undefined) this.#vacate(id);
    else this.#place(manager);
  }

  #vacate(id: ManagerId): void {
    const cell = this.#cells.get(id);
    if (cell === undefined) return;
    this.#cells.delete(id);
    this.#managers[cell] = null;
    this.#free.push(cell);
    this.#set(cell, 0);
  }

  #set(cell: number, byte: number): void {
    if (this.#bytes[cell] === byte) return;
    this.#bytes[cell] = byte;
    if (this.#isChanged[cell] === 1) return;
    this.#isChanged[cell] = 1;
    this.#changed.push(cell);
  }

  #byteOf(manager: WebSocketManager): number {
    const verdict = standingOf(manager);
    if (verdict === null) return 0;
    const { evidence, seat, user } = manager;
    const tier = (this.#tiers.get(user.tier) ?? TIER_MOST) << TIER_SHIFT;
    return VERDICT_BITS[verdict] | tier | (evidence.run ? RUN : 0) | (evidence.visibility === 'visible' ? VISIBLE : 0) | (seat?.kind === 'burst' ? BURST : 0);
  }

  #grow(): void {
    const bytes = Buffer.alloc(this.#bytes.length * 2);
    this.#bytes.copy(bytes);
    this.#bytes = bytes;
    const isChanged = new Uint8Array(bytes.length);
    isChanged.set(this.#isChanged);
    this.#isChanged = isChanged;
  }

  /** What no event tells of: the next cells in turn. */
  async #sweep(slices: Slices): Promise<void> {
    if (this.#swept >= this.#size) this.#swept = 0;
    const managers = this.#managers.slice(this.#swept, this.#swept + SWEPT_PER_LOOK);
    let next = this.#swept;
    await slices.each(managers, (manager) => {
      const cell = next++;
      // Meanwhile it may be somebody else's.
      if (manager === null || this.#managers[cell] !== manager) return;
      const byte = this.#byteOf(manager);
      if (byte === 0) this.#vacate(manager.id);
      else this.#set(cell, byte);
    });
    this.#swept += managers.length;
  }

  // ---- what is told

  #takeChanges(): readonly number[] {
    const changed = this.#changed;
    this.#changed = [];
    for (const cell of changed) this.#isChanged[cell] = 0;
    return changed;
  }

  #told(changed: readonly number[] | null): string {
    const runs = changed === null ? [[0, this.#base64(0, this.#size)] as const] : this.#runs(Uint32Array.from(changed).sort());
    return JSON.stringify({ of: 'map', whole: changed === null, size: this.#size, runs } satisfies LiveUpdate);
  }

  #runs(cells: Uint32Array): (readonly [number, string])[] {
    const runs: (readonly [number, string])[] = [];
    let first = cells[0] ?? 0;
    let last = first;
    for (const cell of cells) {
      if (cell - last > JOINED_GAP) {
        runs.push([first, this.#base64(first, last + 1)]);
        first = cell;
      }
      last = cell;
    }
    runs.push([first, this.#base64(first, last + 1)]);
    return runs;
  }

  #base64(from: number, to: number): string {
    return this.#bytes.toString('base64', from, to);
  }
}
