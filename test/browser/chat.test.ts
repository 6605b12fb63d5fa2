import { describe, expect, it } from 'vitest';
import { openPage } from '../support/browser.ts';
import {
  answerText,
  ask,
  becomes,
  box,
  hasSaid,
  isConnected,
  isFinished,
  SIDE_BY_SIDE_MS,
  showsWhatIsStored,
  signIn,
  useChatGround,
  words,
} from '../support/chat-page.ts';

describe.concurrent('the chat page', { timeout: SIDE_BY_SIDE_MS }, () => {
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

  it('is used by keyboard alone', async () => {
    await using watched = await openPage(ground().browser);
    const { page, complaints } = watched;
    const { keyboard } = page;
    await page.goto(ground().proxy.url);
    await becomes(() => page.getByLabel('Password').inputValue(), 'spillway');
    await keyboard.press('Enter');
    await isConnected(page);

    await becomes(() => page.evaluate(() => document.activeElement?.tagName), 'TEXTAREA');
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
    await becomes(() => box(page).inputValue(), '');
    await box(page).fill('second draft');
    await page.goBack();
    await becomes(() => box(page).inputValue(), 'first draft');
    await page.goForward();
    await becomes(() => box(page).inputValue(), 'second draft');
  });
});
