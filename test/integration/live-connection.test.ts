import { describe, expect, it } from 'vitest';
import { LiveConnection, type LiveUpdate } from '../../src/admin/index.ts';
import { ADMIN_KEY, startWithAdmin } from '../support/admin.ts';
import { tcpRelay } from '../support/peers/tcp-relay.ts';

const isLive = (live: LiveConnection) => expect.poll(() => live.state.name, { timeout: 10_000 }).toBe('live');

/** How often figures are told. */
const EVERY_MS = 1_000;

/** A page that can be hidden. */
class Tab extends EventTarget {
  visibilityState = 'visible';
  become(state: 'visible' | 'hidden'): void {
    this.visibilityState = state;
    this.dispatchEvent(new Event('visibilitychange'));
  }
}

describe('the live connection of an operator’s page', () => {
  it('watches again after a loss, and says meanwhile since when it is lost', async () => {
    await using admin = await startWithAdmin();
    await using relay = await tcpRelay(Number(new URL(admin.url).port));
    const live = new LiveConnection({ url: `http://127.0.0.1:${relay.port}`, key: ADMIN_KEY });
    const updates: LiveUpdate[] = [];
    live.watch({ of: 'summary' }, { update: (data) => updates.push(data) });
    await isLive(live);
    expect(live.welcome).toMatchObject({ node: 'gw-1', role: 'admin' });
    await expect.poll(() => updates.length, { timeout: 5_000 }).toBeGreaterThan(0);
    const lostAt = Date.now();
    relay.become({ is: 'cut' });
    await expect.poll(() => live.state.name, { timeout: 5_000 }).toBe('lost');
    expect(live.state).toMatchObject({ since: expect.closeTo(lostAt, -4) });
    const before = updates.length;
    relay.become({ is: 'clear' });
    await isLive(live);
    await expect.poll(() => updates.length, { timeout: 5_000 }).toBeGreaterThan(before);
    live.close();
  });

  it('watches nothing while nobody looks', async () => {
    await using admin = await startWithAdmin();
    const tab = new Tab();
    const live = new LiveConnection({ url: admin.url, key: ADMIN_KEY, page: tab });
    let updates = 0;
    live.watch({ of: 'summary' }, { update: () => updates++ });
    await expect.poll(() => updates, { timeout: 5_000 }).toBeGreaterThan(0);
    tab.become('hidden');
    expect(live.state.name).toBe('resting');
    // What was on its way when it asked to stop; the answer to this comes behind it.
    await admin.get('status');
    const before = updates;
    await new Promise((resolve) => setTimeout(resolve, 2 * EVERY_MS));
    expect(updates).toBeLessThanOrEqual(before + 1);
    tab.become('visible');
    await isLive(live);
    await expect.poll(() => updates, { timeout: 5_000 }).toBeGreaterThan(before + 1);
    live.close();
  });

  it('does not knock again with a key that was refused', async () => {
    await using admin = await startWithAdmin();
    const live = new LiveConnection({ url: admin.url, key: 'another key altogether' });
    await expect.poll(() => live.state, { timeout: 5_000 }).toMatchObject({ name: 'refused', code: 'unauthorized' });
    live.close();
  });

  it('asks who a cell of the map is', async () => {
    await using admin = await startWithAdmin();
    const { ready } = await admin.gw.seat('ada');
    const live = new LiveConnection({ url: admin.url, key: ADMIN_KEY });
    let size = 0;
    const map = live.watch({ of: 'map' }, { update: (data) => (size = data.of === 'map' ? data.size : size) });
    await expect.poll(() => size, { timeout: 5_000 }).toBeGreaterThan(0);
    expect(await map.who(0)).toEqual({ manager: ready.manager, user: 'ada' });
    expect(await map.who(99)).toBeNull();
    live.close();
  });
});
