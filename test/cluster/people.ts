/** Hundreds of persons in a few processes, in conversations of two tabs each. */

import { Helper } from '../../bench/helper.ts';
import { clusterToken } from '../support/cluster.ts';
import { type Asked, asking } from '../support/lossless/numbered-agent.ts';
import { until } from '../support/peers/kernel.ts';
import type { PersonReport } from './people-process.ts';

export interface Standing {
  readonly name: string;
  readonly state: string;
  readonly applied: number;
  /** Last offset applied. */
  readonly to: number;
  /** Ends of runs that this person has seen. */
  readonly ended: number;
  /** They have asked, and seen the end of the answer. */
  readonly isAnswered: boolean;
}

interface Member {
  readonly name: string;
  readonly user: string;
  /** Which conversation of a run is theirs. */
  readonly talk: number;
  /** They ask in it; the others follow. */
  readonly asks: boolean;
  readonly home: Helper;
}

const PER_PROCESS = 75;
/** Tabs that follow one conversation. */
const TOGETHER = 2;
/** Conversations of one user: half a dozen tabs each. */
const TALKS_OF_A_USER = 3;

export class People implements AsyncDisposable {
  readonly members: readonly Member[];
  readonly #homes: readonly Helper[];

  private constructor(members: readonly Member[], homes: readonly Helper[]) {
    this.members = members;
    this.#homes = homes;
  }

  /** Resolves when all are live. `wsUrls`: where they dial, one after the other. */
  static async arrive(count: number, wsUrls: readonly string[]): Promise<People> {
    const homes = Array.from({ length: Math.ceil(count / PER_PROCESS) }, () => new Helper('../test/cluster/people-process.ts'));
    const members = Array.from({ length: count }, (_, i): Member => {
      const talk = Math.floor(i / TOGETHER);
      return { name: `tab-${i}`, user: `user-${Math.floor(talk / TALKS_OF_A_USER)}`, talk, asks: i % TOGETHER === 0, home: homes[i % homes.length] as Helper };
    });
    const people = new People(members, homes);
    await Promise.all(
      homes.map(async (home) => {
        const here = members.filter((member) => member.home === home);
        const options = here.map(async ({ name, user, talk }) => ({ name, user, url: wsUrls[talk % wsUrls.length], token: await clusterToken(user) }));
        await home.ask('open', await Promise.all(options));
      }),
    );
    await people.live(30_000);
    return people;
  }

  /** Everybody turns to a new conversation, and one of each two asks. */
  async talk(prefix: string, asked: Asked): Promise<void> {
    await Promise.all(
      this.#homes.map((home) => {
        const here = this.members.filter((member) => member.home === home);
        const threads = Object.fromEntries(here.map(({ name, talk }) => [name, `${prefix}-${talk}`]));
        const asks = Object.fromEntries(here.flatMap(({ name, talk, asks: does }) => (does ? [[name, asking({ ...asked, seed: talk + 1 })]] : [])));
        return home.ask('follow', { threads, asks });
      }),
    );
  }

  async standing(): Promise<readonly Standing[]> {
    return (await Promise.all(this.#homes.map((home) => home.ask<readonly Standing[]>('standing')))).flat();
  }

  /** Resolves when `suits` holds for everybody at once. */
  async all(what: string, suits: (standing: Standing) => boolean, withinMs: number): Promise<void> {
    let last: readonly Standing[] = [];
    const look = async (): Promise<boolean> => {
      last = await this.standing();
      return last.every(suits);
    };
    await until(`everybody ${what}`, look, withinMs, 100).catch((error: unknown) => {
      const others = last.filter((one) => !suits(one));
      const told = others.slice(0, 5).map((one) => JSON.stringify(one));
      throw new Error(`Expected everybody ${what} within ${withinMs} ms; ${others.length} of ${last.length} not: ${told.join(' ')}`, { cause: error });
    });
  }

  /** Resolves when whoever asked has the end of the answer, and whoever reads along has seen as many ends. */
  async answered(withinMs: number): Promise<void> {
    const askers = new Map(this.members.filter(({ asks }) => asks).map(({ name, talk }) => [name, talk]));
    const talkOf = new Map(this.members.map(({ name, talk }) => [name, talk]));
    const endsOf = new Map<number, number>();
    await this.all(
      'to have their answer',
      ({ name, ended, isAnswered }) => {
        const talk = talkOf.get(name) ?? 0;
        if (!askers.has(name)) return ended >= (endsOf.get(talk) ?? 1);
        endsOf.set(talk, ended);
        return isAnswered;
      },
      withinMs,
    );
  }

  live(withinMs: number): Promise<void> {
    return this.all('to be live', ({ state }) => state === 'live', withinMs);
  }

  /** What everybody saw of the present conversation, compared with the log as `url` tells it. */
  async reports(url: string): Promise<readonly PersonReport[]> {
    return (await Promise.all(this.#homes.map((home) => home.ask<readonly PersonReport[]>('reports', { url })))).flat();
  }

  /** These pages are loaded anew. */
  async reload(names: readonly string[]): Promise<void> {
    await Promise.all(this.#homes.map((home) => home.ask('reload', { names })));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#homes.map((home) => home[Symbol.asyncDispose]()));
  }
}
