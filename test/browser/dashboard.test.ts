import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { mintRoleToken } from '../../src/auth/role-tokens.ts';
import { openPage } from '../support/browser.ts';
import { cellsOf, FROZEN, goTo, openScreen, PAGES, SIGNING_KEY, shows, useDashboardGround, WORKING } from '../support/dashboard-page.ts';
import { tcpRelay } from '../support/peers/tcp-relay.ts';

/** Of all scripts of the page, compressed. */
const SCRIPTS_MAX_BYTES = 150_000;

describe('the dashboard', () => {
  const ground = useDashboardGround();

  it('weighs little', () => {
    const scripts = readdirSync(join(PAGES, 'assets')).filter((name) => name.endsWith('.js'));
    expect(scripts.length).toBeGreaterThan(0);
    expect(scripts.reduce((sum, name) => sum + gzipSync(readFileSync(join(PAGES, 'assets', name))).length, 0)).toBeLessThanOrEqual(SCRIPTS_MAX_BYTES);
  });

  it('asks for the key, takes it from the address, and keeps it out of the address', async () => {
    const { admin, browser } = ground();
    await using watched = await openPage(browser);
    const { page } = watched;
    await page.goto(admin.url);
    await page.getByLabel('Admin key').fill('another key');
    await page.keyboard.press('Enter');
    await page.getByText('The gateway does not know this key.').waitFor();
    await openScreen(page, admin.url, 'queue');
    expect(new URL(page.url()).hash).toBe('#/queue');
    await page.reload();
    await page.getByText('Nobody waits').waitFor();
  });

  it('shows on every screen what the admin API says', async () => {
    const { admin, browser } = ground();
    await using watched = await openPage(browser, { viewport: { width: 1500, height: 900 } });
    const { page, complaints } = watched;
    await openScreen(page, admin.url, 'overview');

    const status = await admin.get('status');
    for (const verdict of ['zombie', 'suspect', 'inactive', 'unknown'])
      await shows(
        async () => (await page.locator('.counts a', { hasText: verdict }).innerText()).replace(/\s+/, ' '),
        `${status.managersByVerdict[verdict]} ${verdict}`,
      );
    await page.getByText(`${status.users} users, ${status.usersAtLimit} at the limit`).waitFor();
    await page.getByText(`${status.seats} seats, ${status.effective} effective`).waitFor();
    await page.locator('.map-panel').getByRole('button', { name: 'as table' }).click();
    const cells = await page.locator('.map-panel tbody td:nth-child(5)').allInnerTexts();
    expect(cells.reduce((sum, cell) => sum + Number(cell), 0)).toBe(FROZEN);
    await page.locator('.map-panel').getByRole('button', { name: 'as map' }).click();
    await page.locator('.map-canvas').focus();
    await page.keyboard.press('ArrowRight');
    await page.locator('.map-name code').waitFor();
    expect(await page.locator('.map-name code').innerText()).toMatch(/^mgr_/);
    await page.locator('.chart[aria-label="Managers"]').getByRole('button', { name: 'as table' }).click();
    expect(await page.locator('.chart[aria-label="Managers"] tbody tr').first().locator('td').allInnerTexts()).toHaveLength(6);

    await goTo(page, 'users');
    const { users } = await admin.get('users');
    for (const { user, seats, effective, sockets, verdicts } of users)
      await shows(
        async () => (await cellsOf(page, 'Users')).find(([name]) => name === user)?.slice(2, 6),
        [`${seats}/${FROZEN + WORKING}`, String(effective), String(sockets), String(verdicts.zombie)],
      );
    await page.getByLabel('Search users').fill('be');
    await shows(async () => (await cellsOf(page, 'Users')).map(([name]) => name), ['ben']);

    await goTo(page, 'users/alice');
    const alice = await admin.get('users/alice');
    await shows(
      async () => (await cellsOf(page, 'Managers of alice')).map(([verdict, id]) => `${verdict} ${id?.split('…')[0]}`).sort(),
      alice.managers.map((one: { verdict: string; managerId: string }) => `${one.verdict} ${one.managerId.slice(0, 12)}`).sort(),
    );
    expect((await cellsOf(page, 'Managers of alice')).filter((cells) => cells.at(-1)?.includes('its socket still answers pings')).length).toBe(FROZEN);

    const dead = alice.managers.find(({ verdict }: { verdict: string }) => verdict === 'zombie');
    await goTo(page, `managers/${dead.managerId}`);
    await page.getByText('the page is NOT there').waitFor();
    await page.getByText('a socket is open, last pong').waitFor();
    expect(await page.locator('.why').innerText()).toContain('its socket still answers pings');
    await page.locator('.timeline-row', { hasText: '→ zombie' }).waitFor();

    await goTo(page, 'managers?verdict=zombie');
    await shows(async () => (await cellsOf(page, 'Managers')).length, FROZEN);

    await goTo(page, 'nodes');
    await shows(
      async () => (await cellsOf(page, 'Nodes')).map(([node, state, managers, zombies]) => [node, state, managers, zombies]),
      [['gw-1', 'ready', String(status.seats), String(FROZEN)]],
    );

    await goTo(page, 'events');
    await page.getByLabel('Filter events').fill('type:admission-ended user:ben');
    const { events } = await admin.get('events?type=admission-ended&user=ben');
    await shows(
      async () => (await cellsOf(page, 'Events')).map((row) => row.slice(1, 3)),
      events.map(() => ['admission-ended', 'ben']),
    );
    await page.getByRole('grid', { name: 'Events' }).locator('[role=row][data-key]').first().click();
    expect(JSON.parse(await page.locator('.event-detail .json').innerText())).toEqual(events.at(-1));

    if ((await admin.ask('GET', 'alerts')).ok) {
      await goTo(page, 'alerts');
      const { alerts } = await admin.get('alerts');
      await shows(async () => (await cellsOf(page, 'Alerts')).map((row) => row[1]).sort(), alerts.map(({ alert }: { alert: string }) => alert).sort());
    }
    expect(complaints).toEqual([]);
  });

  it('goes everywhere by keyboard', async () => {
    const { admin, browser } = ground();
    await using watched = await openPage(browser);
    const { page, complaints } = watched;
    const { keyboard } = page;
    await openScreen(page, admin.url, 'overview');
    for (const [letter, title] of [
      ['c', 'Cleanup history'],
      ['e', 'Events'],
      ['q', 'Queue'],
      ['a', 'Alerts'],
      ['d', 'Drills'],
      ['n', 'Nodes'],
      ['o', 'Overview'],
      ['u', 'Users'],
    ] as const) {
      await keyboard.press('g');
      await keyboard.press(letter);
      await page.getByRole('heading', { level: 1, name: title }).waitFor();
    }
    await page.getByRole('row', { name: /alice/ }).waitFor();
    await keyboard.press('/');
    await keyboard.type('alice');
    // What is typed is looked for when nothing more is typed for a moment.
    await expect.poll(() => page.url()).toContain('filter=alice');
    await shows(async () => (await cellsOf(page, 'Users')).length, 1);
    await keyboard.press('Escape');
    await keyboard.press('j');
    await keyboard.press('Enter');
    await page.getByRole('heading', { name: 'alice' }).waitFor();
    await page.getByRole('grid', { name: 'Managers of alice' }).waitFor();
    await keyboard.press('j');
    await keyboard.press('j');
    await keyboard.press('k');
    expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-rowindex'))).toBe('2');
    await keyboard.press('Enter');
    await page.getByRole('heading', { name: /^zombie/ }).waitFor();
    await keyboard.press('Escape');
    await page.getByRole('heading', { name: 'Users' }).waitFor();
    await keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keys and screens' }).waitFor();
    await keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await keyboard.press('p');
    await page.getByText('Paused at').waitFor();
    await keyboard.press('p');
    await page.getByText('Paused at').waitFor({ state: 'detached' });
    await keyboard.press('t');
    expect(await page.evaluate(() => document.documentElement.dataset.theme)).toBe('light');
    expect(complaints).toEqual([]);
  });

  it('keeps its rows where they are while somebody points at them', async () => {
    const { admin, browser } = ground();
    await using watched = await openPage(browser);
    const { page } = watched;
    await openScreen(page, admin.url, 'events');
    const grid = page.getByRole('grid', { name: 'Events' });
    await grid.locator('[role=row][data-key]').first().hover();
    const keys = (): Promise<(string | null)[]> => grid.locator('[role=row][data-key]').evaluateAll((rows) => rows.map((row) => row.getAttribute('data-key')));
    const before = await keys();
    const { client } = await admin.gw.seat('dora');
    await page.getByRole('button', { name: /changes?, press r/ }).waitFor();
    expect(await keys()).toEqual(before);
    await page.keyboard.press('r');
    await expect.poll(async () => (await keys())[0]).not.toBe(before[0]);
    await client[Symbol.asyncDispose]();
  });

  it('lets a viewer look, and says why nothing can be changed', async () => {
    const { admin, browser } = ground();
    await using watched = await openPage(browser);
    const { page } = watched;
    await openScreen(page, admin.url, 'users/alice', await mintRoleToken(SIGNING_KEY, { role: 'viewer', expiresAt: Date.now() + 60_000 }));
    await page.getByText('You can look, and not change anything').waitFor();
    expect(await page.getByRole('button', { name: /^Plan cleanup/ }).isDisabled()).toBe(true);
    expect(await page.getByRole('button', { name: /^Free unresponsive/ }).isDisabled()).toBe(true);
  });

  it('says when the gateway does not answer, and comes back by itself', async () => {
    const { admin, browser } = ground();
    await using relay = await tcpRelay(Number(new URL(admin.url).port));
    await using watched = await openPage(browser);
    const { page } = watched;
    await openScreen(page, `http://127.0.0.1:${relay.port}`, 'users/alice');
    await page.getByRole('grid', { name: 'Managers of alice' }).waitFor();
    relay.become({ is: 'swallow' });
    await page.getByText(/No answer for \d+ s/).waitFor();
    expect(await page.locator('.screen').getAttribute('data-fresh')).toBe('false');
    relay.become({ is: 'cut' });
    await page.getByText(/Disconnected for \d+ s/).waitFor();
    relay.become({ is: 'clear' });
    await page.locator('.connection[data-state="live"]').waitFor();
    await page.getByRole('grid', { name: 'Managers of alice' }).waitFor();
  });

  it('evicts one manager for a reason, and frees the dead by the plan that it showed', async () => {
    const { admin, browser } = ground();
    await using watched = await openPage(browser);
    const { page, complaints } = watched;
    const { managers } = await admin.get('managers?verdict=zombie');
    const [{ managerId }] = managers;
    await openScreen(page, admin.url, `managers/${managerId}`);
    await page.getByRole('button', { name: 'Evict…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Evict this manager' });
    await dialog.getByText('3 events unacknowledged').waitFor();
    expect(await dialog.getByRole('button', { name: /^Evict/ }).isDisabled()).toBe(true);
    await dialog.getByLabel('Reason').fill('its tab is frozen');
    await dialog.getByRole('button', { name: 'Evict', exact: true }).click();
    await page.getByText(`${managerId} holds no seat here any more`).waitFor();
    expect((await admin.ask('GET', `managers/${managerId}`)).status).toBe(404);

    await goTo(page, 'users/alice');
    await page.getByRole('button', { name: `Free unresponsive (${FROZEN - 1})` }).click();
    const plan = page.getByRole('dialog', { name: /Free what does not respond/ });
    await plan.getByText(`Would go: ${FROZEN - 1}`).waitFor();
    await plan.getByLabel('Reason').fill('a test frees them');
    await plan.getByRole('button', { name: `Free ${FROZEN - 1} seats` }).click();
    await page.getByRole('heading', { name: /^Cleanup of alice/ }).waitFor();
    const rows = await cellsOf(page, 'Everybody who was examined');
    expect(rows.map((row) => row[1]).sort()).toEqual([...Array(FROZEN - 1).fill('evicted'), ...Array(WORKING).fill('kept')]);
    const { cleanups } = await admin.get('cleanup/history?user=alice&limit=1');
    expect(
      rows
        .filter(([, fate]) => fate === 'evicted')
        .map(([id]) => id?.slice(0, 12))
        .sort(),
    ).toEqual(cleanups[0].cleanup.victims.map((victim: { managerId: string }) => victim.managerId.slice(0, 12)).sort());
    const { entries } = await admin.get('audit?limit=10');
    expect(entries.map(({ reason }: { reason: string }) => reason)).toEqual(expect.arrayContaining(['its tab is frozen', 'a test frees them']));
    expect((await admin.get('status')).managersByVerdict.zombie).toBe(0);
    expect(complaints).toEqual([]);
  });
});
