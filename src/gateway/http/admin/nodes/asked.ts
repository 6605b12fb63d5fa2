import type { HttpContext } from '../../http-env.ts';
import { ACT_MS, LOOK_MS, type Passed, type Peers, type Reply } from './peers.ts';

/** What nodes answered to one question, and who did not. */
export interface Heard {
  readonly replies: readonly Reply[];
  readonly unanswered: readonly string[];
}

/** A request of an operator, and whom it can be passed on to. */
export class Asked {
  readonly c: HttpContext;
  readonly peers: Peers;
  /** Below `/admin/api/v1`, with its query as it came. */
  readonly path: string;
  readonly #url: URL;

  constructor(c: HttpContext, peers: Peers, base: string) {
    this.c = c;
    this.peers = peers;
    this.#url = new URL(c.req.url);
    this.path = `${this.#url.pathname.slice(base.length + 1)}${this.#url.search}`;
  }

  get others(): readonly string[] {
    return this.peers.others();
  }

  /** The path with another query. `undefined` takes a parameter away. */
  with(query: Readonly<Record<string, string | undefined>>): string {
    const params = new URLSearchParams(this.#url.search);
    for (const [name, value] of Object.entries(query)) value === undefined ? params.delete(name) : params.set(name, value);
    return `${this.path.split('?')[0]}${params.size === 0 ? '' : `?${params.toString()}`}`;
  }

  /** Asks one node, itself included. Null: it did not answer. */
  one(node: string, o: Partial<Pick<Passed, 'method' | 'path' | 'body'>> = {}, withinMs: number = ACT_MS): Promise<Reply | null> {
    const { role } = this.c.get('operator');
    const question = { method: 'GET', path: this.path, role, request: this.c.get('requestId'), ...o };
    return this.peers.ask(node as Reply['node'], question, withinMs);
  }

  /** Asks several nodes at once, each for `pathOf` it. */
  async all(nodes: readonly string[], withinMs: number = LOOK_MS, pathOf: (node: string) => string = () => this.path): Promise<Heard> {
    const replies = await Promise.all(nodes.map((node) => this.one(node, { path: pathOf(node) }, withinMs)));
    return {
      replies: replies.filter((reply) => reply !== null),
      unanswered: nodes.filter((_, i) => replies[i] === null),
    };
  }

  /** This node and all others; a refusal of this one, such as of a parameter that is not understood, is what the operator is told. */
  async everybody(withinMs: number = LOOK_MS, pathOf?: (node: string) => string): Promise<Heard | { readonly refused: Response }> {
    const heard = await this.all([this.peers.own, ...this.others], withinMs, pathOf);
    const own = heard.replies.find(({ node }) => node === this.peers.own);
    if (own !== undefined && own.status >= 400 && own.status !== 404) return { refused: this.asAnswered(own) };
    const good = heard.replies.filter(({ status }) => status === 200 || status === 404);
    const bad = heard.replies.filter((reply) => !good.includes(reply)).map(({ node }) => node);
    return { replies: good.filter(({ status }) => status === 200), unanswered: [...heard.unanswered, ...bad] };
  }

  json(body: object): Response {
    return this.c.json(body);
  }

  /** What a node answered, as it answered. */
  asAnswered({ status, body }: Reply): Response {
    const type = status >= 400 ? 'application/problem+json' : 'application/json';
    return new Response(JSON.stringify(body), { status, headers: { 'content-type': type, 'cache-control': 'no-store' } });
  }
}

/** A part of a path as it was meant; one that is spelled wrong stands for itself. */
export function meant(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
