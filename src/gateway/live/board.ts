import type { ErrorCode } from '../../protocol/errors.ts';
import type { LiveTopic } from '../../protocol/live.ts';
import { CellMap } from './cell-map.ts';
import { Channel, type Watch } from './channel.ts';
import type { LiveGround } from './ground.ts';
import { type Absent, sourceOf } from './topics.ts';

/** What is watched now: one channel a topic, however many pages watch it, and none that nobody watches. */
export class LiveBoard {
  readonly #ground: LiveGround;
  readonly #channels = new Map<string, Channel>();
  #map: CellMap | null = null;

  constructor(ground: LiveGround) {
    this.#ground = ground;
  }

  /** Returns the undo, or why this gateway cannot tell of that topic. */
  watch(topic: LiveTopic, watch: Watch): (() => void) | { readonly code: ErrorCode; readonly detail: string } {
    // The parser writes the fields of a topic in one order.
    const name = JSON.stringify(topic);
    const channel = this.#channels.get(name) ?? this.#open(name, topic);
    if (!(channel instanceof Channel)) return { code: 'not-found', detail: channel.absent };
    channel.join(watch);
    return () => {
      channel.leave(watch);
      if (!channel.isEmpty || this.#channels.get(name) !== channel) return;
      this.#channels.delete(name);
      if (topic.of === 'map') this.#map = null;
    };
  }

  /** Who is that cell of the map? Null while nobody watches the map. */
  who(cell: number): { readonly manager: string; readonly user: string } | null {
    return this.#map?.who(cell) ?? null;
  }

  #open(name: string, topic: LiveTopic): Channel | Absent {
    const source = sourceOf(topic, this.#ground);
    if ('absent' in source) return source;
    if (source instanceof CellMap) this.#map = source;
    const { clock, telemetry } = this.#ground;
    const channel = new Channel(source, clock, telemetry);
    this.#channels.set(name, channel);
    return channel;
  }
}
