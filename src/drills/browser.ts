import type { ClientState, Notice, Position } from '../client/index.ts';
import type { Crew, Member } from './crew.ts';
import type { SocketNews } from './peers/socket-messages.ts';
import type { TabNews, TabOpening, TabOrder, Told, ToldAnswer } from './peers/tab-messages.ts';

/** A process with tabs, each an ordinary client. */
export class Browser {
  readonly pages: Member;
  /** The process that has their sockets; null: the one that has the tabs. */
  readonly network: Member | null;
  readonly tabs: Tab[] = [];
  /** Pings answered for a socket, by the process that has it. */
  readonly pings = new Map<number, number>();
  /** How each socket of another process ended. */
  readonly closes: { readonly code: number; readonly reason: string }[] = [];

  private constructor(pages: Member, network: Member | null) {
    this.pages = pages;
    this.network = network;
    pages.hear((news: TabNews) => this.tabs[news.tab]?.hear(news));
    network?.hear((news: SocketNews) => {
      if ('answered' in news) this.pings.set(news.socket, (this.pings.get(news.socket) ?? 0) + 1);
      else this.closes.push(news.closed);
    });
  }

  /** All in one process. */
  static start(crew: Crew): Browser {
    return new Browser(crew.tabs(), null);
  }

  /** Pages in one process and their sockets in another, as real browsers have them. */
  static startInTwo(crew: Crew): Browser {
    const network = crew.peer('sockets', { more: ['pipe'] });
    const pipe = network.child.stdio[4];
    if (!pipe) throw new Error('Expected a pipe between pages and their sockets.');
    const pages = crew.tabs({ args: ['piped'], more: [pipe] });
    // The two have it now.
    pipe.destroy();
    return new Browser(pages, network);
  }

  /** Opens a tab that follows a thread from its start. */
  open(opening: TabOpening): Tab {
    const number = this.tabs.length;
    const tab = new Tab(opening, (order) => this.pages.tell({ tab: number, ...order }));
    this.tabs.push(tab);
    tab.tell({ open: opening });
    return tab;
  }
}

type Order = TabOrder extends infer O ? (O extends { tab: number } ? Omit<O, 'tab'> : never) : never;

/** What one tab has said. */
export class Tab {
  readonly opening: TabOpening;
  readonly tell: (order: Order) => void;
  state: ClientState = { name: 'idle' };
  readonly states: ClientState['name'][] = [];
  /** Its latest seat; empty before the first. */
  manager = '';
  seat: 'soft' | 'burst' | null = null;
  /** How often it came back, and how. */
  readonly returns: ('fresh' | 'attached' | 'readmitted')[] = [];
  /** From the dial to its first seat. */
  seatedAfterMs: number | null = null;
  told: Told = { events: 0, offset: -1, characters: 0, sum: '', answers: {}, faults: [], gaps: 0 };
  /** Of its first socket, on its own side. */
  port = 0;
  /** By the id of a message: its run, and where it stands. */
  readonly accepted = new Map<string, { readonly run: string; readonly position: Position }>();
  readonly refused = new Map<string, string>();
  readonly notices: Notice[] = [];
  /** How its transports ended, and when by `performance.now()`. */
  readonly ends: { readonly code: number; readonly reason: string; readonly at: number }[] = [];

  constructor(opening: TabOpening, tell: (order: Order) => void) {
    this.opening = opening;
    this.tell = tell;
  }

  get isLive(): boolean {
    return this.state.name === 'live';
  }

  /** The answer to a message, once it has come to its end here. */
  answerTo(id: string): ToldAnswer | null {
    return this.told.answers[this.runOf(id) ?? ''] ?? null;
  }

  /** Of a message that was accepted; else null. */
  runOf(id: string): string | null {
    return this.accepted.get(id)?.run ?? null;
  }

  hear(news: TabNews): void {
    if ('state' in news) this.#become(news.state);
    else if ('seatedAfterMs' in news) [this.seatedAfterMs, this.port] = [news.seatedAfterMs, news.port];
    else if ('told' in news) this.told = news.told;
    else if ('accepted' in news) this.accepted.set(news.accepted.id, news.accepted);
    else if ('refused' in news) this.refused.set(news.refused.id, news.refused.why);
    else if ('notice' in news) this.notices.push(news.notice);
    else this.ends.push({ ...news.ended, at: performance.now() });
  }

  #become(state: ClientState): void {
    this.state = state;
    this.states.push(state.name);
    if (state.name !== 'live') return;
    this.manager = state.manager;
    this.seat = state.seat;
    this.returns.push(state.resume);
  }
}
