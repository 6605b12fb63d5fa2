import { describe, expect, it } from 'vitest';
import { openPage } from '../support/browser.ts';
import {
  answerText,
  ask,
  box,
  hasSaid,
  isConnected,
  isFinished,
  lastAnswer,
  showsWhatIsStored,
  signIn,
  useChatGround,
  WITHIN_MS,
  words,
} from '../support/chat-page.ts';
import { startCuttingProxy } from '../support/cutting-proxy.ts';
import { startSpillway } from '../support/spillway-process.ts';

/** About four seconds of answer. */
const COUNT = 'Count to 120';
describe('the chat page', () => {
  const ground = useChatGround();

  it('shows thinking, a tool step with its sources, and the streamed answer', async () => {
    await using watched = await openPage(ground().browser);
    const { page, complaints } = watched;
    await signIn(page, ground().proxy.url);
    await ask(page, 'What happens when I reload in the middle of an answer?');

    await page.getByText('Thinking…').first().waitFor();
    await page.locator('.tool[data-state="done"]').waitFor();
    expect(await page.locator('.citations li').count()).toBeGreaterThan(0);
    await page.locator('.markdown.growing').waitFor();
    const early = words(await answerText(page)).length;
    await isFinished(page);
    expect(words(await answerText(page)).length).toBeGreaterThan(early);
    await showsWhatIsStored(page);

    await page.locator('.tool .step-head').click();
    await page.getByText('Asked with').waitFor();
    expect(await page.locator('.threads [aria-current="page"]').innerText()).toContain('What happens when I reload');
    expect(await page.locator('.badge').first().innerText()).toBe('built-in demo');
    expect(await page.locator('.top-state').innerText()).toMatch(/connected\s*·?\s*\d+ of 20\s*·?\s*Your sessions/);
    expect(complaints).toEqual([]);
  });

  it('shows an answer complete and once after a reload in the middle of it', async () => {
    await using watched = await openPage(ground().browser);
    const { page, complaints } = watched;
    await signIn(page, ground().proxy.url);
    await ask(page, COUNT);
    await hasSaid(page, 10);
    await box(page).fill('not sent yet');
    await page.reload();
    await isConnected(page);
    expect(await lastAnswer(page).getAttribute('data-status')).toBe('streaming');
    await isFinished(page);
    await showsWhatIsStored(page);
    expect(words(await answerText(page))).toContain('120');
    expect(await box(page).inputValue()).toBe('not sent yet');
    expect(complaints).toEqual([]);
  });

  it('loses nothing when the network is gone for 5 s in the middle of an answer', async () => {
    await using watched = await openPage(ground().browser);
    const { page } = watched;
    await signIn(page, ground().proxy.url);
    await ask(page, 'Count to 200');
    await hasSaid(page, 10);
    const openedBefore = ground().proxy.opened;
    await page.context().setOffline(true);
    ground().proxy.cut();
    await page.getByText('Reconnecting… your answer continues.').waitFor();
    // These words come after three seconds; two more make the five that are promised.
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    ground().proxy.mend();
    await page.context().setOffline(false);
    await isConnected(page);
    expect(ground().proxy.opened).toBeGreaterThan(openedBefore);
    await isFinished(page);
    await showsWhatIsStored(page);
    expect(words(await answerText(page))).toContain('200');
    expect(await page.locator('.notice').count()).toBe(0);
  });

  it('keeps the conversation over a server that is killed in the middle of an answer, and offers to try again', async () => {
    const ownData = await ground().folder();
    let own = await startSpillway({ data: ownData });
    await using between = await startCuttingProxy(own.port);
    try {
      await using watched = await openPage(ground().browser);
      const { page } = watched;
      await signIn(page, between.url);
      await ask(page, 'What is 17 % of 2340?');
      await isFinished(page);
      await ask(page, COUNT);
      await hasSaid(page, 10);
      const seen = words(await answerText(page)).slice(0, 10);
      await own.kill();
      own = await startSpillway({ data: ownData });
      between.target = own.port;
      await page.getByRole('button', { name: 'Try again' }).waitFor({ timeout: WITHIN_MS });
      expect(await lastAnswer(page).getAttribute('data-status')).toBe('failed');
      expect(words(await answerText(page)).slice(0, 10)).toEqual(seen);
      await showsWhatIsStored(page);

      await page.reload();
      await isConnected(page);
      await expect.poll(() => page.locator('.message').count()).toBe(4);
      await page.getByRole('button', { name: 'Try again' }).click();
      await isFinished(page);
      expect(words(await answerText(page))).toContain('120');
      await showsWhatIsStored(page);
    } finally {
      await own.kill();
    }
  });

  it('is used by keyboard alone', async () => {
    await using watched = await openPage(ground().browser);
    const { page, complaints } = watched;
    const { keyboard } = page;
    await page.goto(ground().proxy.url);
    await expect.poll(() => page.getByLabel('Password').inputValue()).toBe('spillway');
    await keyboard.press('Enter');
    await isConnected(page);

    await expect.poll(() => page.evaluate(() => document.activeElement?.tagName)).toBe('TEXTAREA');
    await keyboard.type('Count to 150');
    await keyboard.press('Shift+Enter');
    await keyboard.type('n?');
    expect(await box(page).inputValue()).toBe('Count to 150\nn?');
    await keyboard.press('Backspace');
    await keyboard.press('Backspace');
    await keyboard.press('Enter');
    await hasSaid(page, 5);
    await keyboard.press('Escape');
    await page.getByText('You stopped this answer.').waitFor();
    await showsWhatIsStored(page);

    // Single keys work once nobody types.
    await page.locator('.log').focus();
    await keyboard.press('s');
    await page.getByRole('heading', { name: 'Your sessions' }).waitFor();
    await keyboard.press('Escape');
    await page.getByRole('heading', { name: 'Your sessions' }).waitFor({ state: 'detached' });
    await keyboard.press('?');
    await page.getByRole('heading', { name: 'Keys' }).waitFor();
    await keyboard.press('Escape');
    await keyboard.press('t');
    expect(await page.evaluate(() => document.documentElement.dataset.theme)).toBe('light');
    const before = page.url();
    await keyboard.press('n');
    await page.getByText(/^Hello, /).waitFor();
    expect(page.url()).not.toBe(before);
    await keyboard.press('/');
    expect(await page.evaluate(() => document.activeElement?.tagName)).toBe('TEXTAREA');
    expect(complaints).toEqual([]);
  });

  it('keeps a draft for each conversation', async () => {
    await using watched = await openPage(ground().browser);
    const { page } = watched;
    await signIn(page, ground().proxy.url);
    await box(page).fill('first draft');
    await page.getByRole('button', { name: 'New chat' }).click();
    await expect.poll(() => box(page).inputValue()).toBe('');
    await box(page).fill('second draft');
    await page.goBack();
    await expect.poll(() => box(page).inputValue()).toBe('first draft');
    await page.goForward();
    await expect.poll(() => box(page).inputValue()).toBe('second draft');
  });
});
