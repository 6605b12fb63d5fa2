/** Looks at every screen as a person with bad eyes, in the dark and on a telephone does, and draws it. */

import { mkdirSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { seriousFindings } from '../support/dashboard-page.ts';

export const WIDE = { width: 1280, height: 860 };
const NARROW = { width: 390, height: 844 };
/** Charts and lists are told every second. */
const SETTLED_MS = 1_300;
/** All in which the themes differ. */
const COLOURS = 'color-contrast';

export class Gallery {
  readonly #page: Page;
  readonly #folder: string | null;
  /** What axe found serious or worse, and what does not fit, with where. */
  readonly findings: string[] = [];
  /** Pictures drawn so far. */
  drawn = 0;

  constructor(page: Page, folder: string | null) {
    this.#page = page;
    this.#folder = folder;
    if (folder !== null) mkdirSync(folder, { recursive: true });
  }

  /** The screen that is open, in both themes and on a telephone. `size`: of the pictures that are not of a telephone. */
  async show(name: string, size = WIDE): Promise<void> {
    const page = this.#page;
    await page.setViewportSize(size);
    await page.mouse.move(0, 0);
    await this.#draw(name, 'light');
    await this.#find(name, 'light');
    await this.#fits(name, 'light');
    await page.emulateMedia({ colorScheme: 'dark' });
    await this.#draw(name, 'dark');
    await this.#find(name, 'dark', COLOURS);
    await page.emulateMedia({ colorScheme: 'light' });
    await page.setViewportSize(NARROW);
    await this.#draw(name, 'narrow');
    await this.#fits(name, 'narrow');
    await this.#find(name, 'narrow');
    await page.setViewportSize(WIDE);
  }

  async #draw(name: string, look: string): Promise<void> {
    if (this.#folder === null) return;
    await new Promise((resolve) => setTimeout(resolve, SETTLED_MS));
    await this.#page.screenshot({ path: `${this.#folder}/dashboard-${name}-${look}.png` });
    this.drawn += 1;
  }

  /** Nothing on a screen is wider than it, as soon as the page has taken notice of its size. */
  async #fits(name: string, look: string): Promise<void> {
    const deadline = performance.now() + SETTLED_MS;
    let wider: readonly string[];
    do wider = await this.#wider();
    while (wider.length > 0 && performance.now() < deadline);
    this.findings.push(...wider.map((part) => `${name} ${look}: ${part} is cut off`));
  }

  /** Names of the parts that are wider than their room, after the next frame was drawn. */
  #wider(): Promise<readonly string[]> {
    return this.#page.evaluate(async () => {
      await new Promise((resolve) => requestAnimationFrame(resolve));
      const parts = [document.documentElement, ...document.querySelectorAll('[role=grid], .panel, dialog[open]')];
      return parts.filter((part) => part.scrollWidth > part.clientWidth + 1).map((part) => part.getAttribute('aria-label') ?? part.tagName);
    });
  }

  async #find(name: string, look: string, only?: string): Promise<void> {
    this.findings.push(...(await seriousFindings(this.#page, only)).map((finding) => `${name} ${look}: ${finding}`));
  }
}
