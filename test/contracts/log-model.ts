/** The log as a list, with none of the care for speed that a store needs: what random histories are compared with. */

interface ModelEntry {
  readonly run: string | null;
  readonly bytes: number;
  readonly text: string;
  readonly storedAt: number;
}

export class ModelStream {
  epochs = 0;
  token = 0;
  first = 1;
  /** All entries of this epoch ever appended; those before `first` are dropped. */
  entries: ModelEntry[] = [];
  readonly runs = new Map<string, { state: 'queued' | 'running' | 'ended'; endedAt: number | null }>();

  get head(): number {
    return this.entries.length;
  }

  get active(): string | null {
    const open = [...this.runs].filter(([, run]) => run.state !== 'ended');
    return (open.find(([, run]) => run.state === 'running') ?? open[0])?.[0] ?? null;
  }

  append(
    r: { readonly token: number; readonly epoch: number; readonly from: number; readonly texts: readonly string[]; readonly run: string | null },
    now: number,
  ): 'ok' | 'repeated' | 'fenced' | 'conflict' {
    if (r.token < this.token || r.token === 0) return 'fenced';
    if (r.token > this.token || r.epoch !== this.epochs || r.from < 1) return 'conflict';
    if (r.texts.length === 0) return 'ok';
    if (r.from === this.head + 1) {
      for (const text of r.texts) this.entries.push({ run: r.run, bytes: Buffer.byteLength(text), text, storedAt: now });
      return 'ok';
    }
    const same = r.texts.every((text, i) => {
      const offset = r.from + i;
      const kept = this.entries[offset - 1];
      return kept !== undefined && (offset < this.first || (kept.text === text && kept.run === r.run));
    });
    return same ? 'repeated' : 'conflict';
  }

  trim(now: number, keepMs: number, streamBytes: number): boolean {
    const before = this.first;
    const endOf = (e: ModelEntry): number | null => {
      const run = e.run === null ? undefined : this.runs.get(e.run);
      return run === undefined ? e.storedAt : run.endedAt;
    };
    for (;;) {
      const oldest = this.entries[this.first - 1];
      const end = oldest === undefined ? null : endOf(oldest);
      if (end === null) break;
      const ended = this.entries.slice(this.first - 1).filter((e) => endOf(e) !== null);
      if (end > now - keepMs && ended.reduce((sum, e) => sum + e.bytes, 0) <= streamBytes) break;
      this.first += 1;
    }
    return this.first > before;
  }

  read(from: number, maxBytes: number): readonly string[] {
    const found: string[] = [];
    let bytes = 0;
    for (const e of this.entries.slice(Math.max(from, this.first) - 1)) {
      bytes += e.bytes;
      if (found.length > 0 && bytes > maxBytes) break;
      found.push(e.text);
    }
    return found;
  }
}
