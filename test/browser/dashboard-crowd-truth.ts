/** What each screen shows, compared with the admin API, with what the clients know of themselves, and with the kernel. */

import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { cellsOf, goTo } from '../support/dashboard-page.ts';
import { connectionsTo, until } from '../support/peers/kernel.ts';
import type { Seen } from './dashboard-crowd-clients.ts';
import type { CrowdScene } from './dashboard-crowd-scene.ts';

const WITHIN_MS = 20_000;
const LOOK_EVERY_MS = 100;
/** A grid shows at most so many rows at once. */
const MOST_ROWS = 60;
/** How often a table is scrolled through before what was found counts as all. */
const LOOKS_TO_THE_END = 5;
const VERDICTS = ['healthy', 'idle', 'suspect', 'zombie', 'inactive', 'unknown'] as const;

type Sources = Readonly<Record<string, () => Promise<unknown> | unknown>>;

/** Whether all screens say what is so. */
export class Truth {
  readonly #page: Page;
  readonly #scene: CrowdScene;
  readonly #say: (text: string) => void;

  constructor(page: Page, scene: CrowdScene, say: (text: string) => void) {
    this.#page = page;
    this.#scene = scene;
    this.#say = say;
  }

  /** Asks sources that know nothing of each other until all of them say the same: what is on a page comes a moment later. */
  async agree(what: string, sources: Sources): Promise<void> {
    const names = Object.keys(sources);
    let said: readonly unknown[] = [];
    try {
      await until(
        what,
        async () => {
          said = await Promise.all(Object.values(sources).map((ask) => ask()));
          const texts = new Set(said.map((one) => JSON.stringify(one)));
          return texts.size === 1;
        },
        WITHIN_MS,
        LOOK_EVERY_MS,
      );
    } catch (error) {
      const each = names.map((name, i) => `${name}: ${JSON.stringify(said[i])?.slice(0, 400)}`);
      throw new Error(`Expected ${what} to be one, got\n  ${each.join('\n  ')}`, { cause: error });
    }
    const [first] = said;
    const shown = Array.isArray(first) ? `${first.length} the same` : JSON.stringify(first);
    this.#say(`${what}: ${shown} (${names.join(', ')})`);
  }

  async overview(): Promise<void> {
    const page = this.#page;
    const { admin, clients, port } = this.#scene;
    const inFacts = async (pattern: RegExp): Promise<number> => number(pattern.exec(await page.locator('.overview').innerText())?.[1]);
    for (const verdict of VERDICTS)
      await this.agree(`managers that are ${verdict}`, {
        page: async () => number(await page.locator('.counts a', { hasText: verdict }).locator('b').innerText()),
        API: async () => (await admin.status()).managersByVerdict[verdict],
      });
    await this.agree('zombies', {
      page: async () => number(await page.locator('.counts a', { hasText: 'zombie' }).locator('b').innerText()),
      clients: async () => dead(await clients('members')).length,
    });
    await this.agree('seats', {
      page: () => inFacts(/([\d,]+) seats/),
      API: async () => (await admin.status()).seats,
      clients: async () => (await clients('members')).length,
    });
    await this.agree('sockets', {
      page: () => inFacts(/([\d,]+) sockets/),
      API: async () => (await admin.status()).sockets,
      kernel: () => connectionsTo(port),
    });
    await this.agree('users', {
      page: () => inFacts(/([\d,]+) users/),
      API: async () => (await admin.status()).users,
      clients: async () => new Set((await clients('members')).map(({ user }) => user)).size,
    });
    const figure = (name: string): Promise<string> => page.locator('.figure', { hasText: name }).locator('.figure-value').innerText();
    await this.agree('people locked out', { page: async () => number(await figure('Lockouts')), nobody: () => 0 });
    await page.locator('.figure', { hasText: 'whole answer' }).waitFor();
    await page.locator('.map-panel').getByRole('button', { name: 'as table' }).click();
    await this.agree('zombies on the map', {
      page: async () => sum((await page.locator('.map-panel tbody td:nth-child(5)').allInnerTexts()).map(number)),
      clients: async () => dead(await clients('members')).length,
    });
    await page.locator('.map-panel').getByRole('button', { name: 'as map' }).click();
  }

  async users(): Promise<void> {
    const { clients } = this.#scene;
    await this.agree('each user’s seats and zombies', {
      page: async () => sorted([...(await this.rows('Users'))].map(([user, cells]) => `${user} ${cells[2]?.split('/')[0]} ${cells[5]}`)),
      clients: async () => {
        const members = await clients('members');
        const users = [...new Set(members.map(({ user }) => user))];
        return sorted(users.map((user) => `${user} ${of(user, members).length} ${dead(of(user, members)).length}`));
      },
    });
  }

  async user(user: string): Promise<void> {
    const { admin, clients } = this.#scene;
    const label = `Managers of ${user}`;
    await this.agree(`who of ${user} is dead`, {
      page: async () => sorted([...(await this.rows(label))].filter(([, cells]) => cells[0] === 'zombie').map(([id]) => id)),
      API: async () => sorted((await admin.user(user)).managers.filter(({ verdict }) => verdict === 'zombie').map(({ managerId }) => managerId)),
      clients: async () => sorted(dead(of(user, await clients('members'))).map(({ manager }) => manager)),
    });
    const words = [...(await this.rows(label)).values()].filter(([verdict]) => verdict === 'zombie').map((cells) => cells.at(-1) ?? '');
    assert.ok(
      words.every((text) => text.includes('its socket still answers pings')),
      `Expected each to be told with its pings, got ${words.join(' | ')}.`,
    );
  }

  async zombies(): Promise<void> {
    const { clients } = this.#scene;
    await this.agree('everybody who is dead', {
      page: async () => sorted([...(await this.rows('Managers')).keys()]),
      clients: async () => sorted(dead(await clients('members')).map(({ manager }) => manager)),
    });
  }

  async manager(id: string): Promise<void> {
    const page = this.#page;
    const { admin } = this.#scene;
    await page.getByText('the page is NOT there').waitFor();
    // How long it is ago goes on while one looks.
    const still = (text: string): string => text.replace(/[\d.]+(?=[smhd])/g, 'N').replaceAll(/N[smhdN]+/g, 'N');
    await this.agree('why it is called dead', {
      page: async () => still((await page.locator('.why').innerText()).replace(/^.*?\): /, '')),
      API: async () => still(`${(await admin.explain(id)).text}.`),
    });
  }

  /** The newest cleanup of `user`: in the list, in its record, and as the clients it took were told. Gives one that went. */
  async cleanup(user: string): Promise<string> {
    const page = this.#page;
    const { admin, clients } = this.#scene;
    await this.agree('cleanups', {
      page: async () => [...(await this.rows('Cleanups')).keys()],
      API: async () => (await admin.cleanups({ limit: 200 })).cleanups.map(({ cleanup }) => cleanup.run),
    });
    const { cleanups } = await admin.cleanups({ user, limit: 1 });
    const { run, victims } = cleanups[0]?.cleanup ?? { run: '', victims: [] };
    await goTo(page, `cleanup/${run}`);
    await page.getByRole('heading', { level: 1, name: /^Cleanup of/ }).waitFor();
    await this.agree('who was evicted, and why', {
      page: async () =>
        sorted([...(await this.rows('Everybody who was examined'))].filter(([, c]) => c[1] === 'evicted').map(([key, c]) => `${key.split(' ')[0]} ${c[2]}`)),
      record: () => sorted(victims.map(({ managerId, reason }) => `${managerId} ${reason}`)),
      clients: async () =>
        sorted(
          (await clients('closes'))
            .filter(({ manager }) => victims.some((one) => one.managerId === manager))
            .map(({ manager, reason }) => `${manager} ${reason}`),
        ),
    });
    return victims[0]?.managerId ?? '';
  }

  async events(): Promise<void> {
    await this.agree('the newest cleanup among the events', {
      page: async () => (await cellsOf(this.#page, 'Events'))[0]?.slice(1, 3),
      API: async () => {
        const { events } = await this.#scene.admin.events({ type: 'cleanup-finished', limit: 1_000 });
        return ['cleanup-finished', events.at(-1)?.data.user];
      },
    });
  }

  async queue(): Promise<void> {
    await this.agree('who waits', {
      page: async () => (await cellsOf(this.#page, 'Queue')).length,
      API: async () => (await this.#scene.admin.queue()).queued.length,
      clients: () => this.#scene.clients('waiting'),
    });
  }

  async alerts(): Promise<void> {
    await this.agree('the state of each alert', {
      page: async () => sorted((await cellsOf(this.#page, 'Alerts')).map(([state, alert]) => `${alert} ${state}`)),
      API: async () => sorted((await this.#scene.admin.alerts()).alerts.map(({ alert, state }) => `${alert} ${state}`)),
    });
  }

  async nodes(): Promise<void> {
    await this.agree('nodes with their managers', {
      page: async () => (await cellsOf(this.#page, 'Nodes')).map(([node, state, managers, zombies]) => [node, state, number(managers), number(zombies)]),
      API: async () => (await this.#scene.admin.nodes()).nodes.map(({ node, state, managers, zombies }) => [node, state, managers, zombies]),
    });
  }

  async drill(id: string): Promise<void> {
    await this.agree('what a drill came to', {
      page: async () => [
        await this.#page.locator('.drill').getAttribute('data-state'),
        ...(await this.#page.locator('.expectations li').evaluateAll((items) => items.map((item) => (item as HTMLElement).dataset.ok ?? ''))),
      ],
      API: async () => {
        const { state, expectations } = await this.#scene.admin.drill(id);
        return [state, ...expectations.map(({ ok }) => String(ok ?? 'open'))];
      },
    });
  }

  /** All rows of a table by their keys: it has only those in view, so it is scrolled through. */
  async rows(label: string): Promise<Map<string, string[]>> {
    const grid = this.#page.getByRole('grid', { name: label, exact: true });
    const found = new Map<string, string[]>();
    let top = 0;
    for (let ends = 0; ends < LOOKS_TO_THE_END; ) {
      const [rows, height, total] = await grid.evaluate((element, to) => {
        element.scrollTop = to;
        const all = [...element.querySelectorAll<HTMLElement>('[role=row][data-key]')];
        const cells = (row: HTMLElement): string[] => [...row.querySelectorAll<HTMLElement>('[role=gridcell]')].map((cell) => cell.innerText.trim());
        return [
          all.map((row) => [row.dataset.key ?? '', cells(row)] as const),
          element.clientHeight,
          Number(element.getAttribute('aria-rowcount')) - 1,
        ] as const;
      }, top);
      assert.ok(rows.length <= MOST_ROWS, `Expected at most ${MOST_ROWS} rows in the page, got ${rows.length}.`);
      for (const [key, cells] of rows) found.set(key, cells);
      const isEnd = await grid.evaluate((element) => element.scrollTop + element.clientHeight >= element.scrollHeight - 1);
      if (isEnd && found.size >= total) break;
      // Rows that are scrolled to are asked for, and come a moment later.
      if (isEnd) ends += 1;
      top = isEnd ? 0 : top + Math.max(200, height - 120);
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
    await grid.evaluate((element) => {
      element.scrollTop = 0;
    });
    return found;
  }
}

const number = (text: string | undefined): number => Number(text?.replaceAll(',', ''));
const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);
const sorted = (texts: readonly string[]): string[] => [...texts].sort();
const dead = (members: readonly Seen[]): readonly Seen[] => members.filter(({ works }) => !works);
const of = (user: string, members: readonly Seen[]): readonly Seen[] => members.filter((one) => one.user === user);
