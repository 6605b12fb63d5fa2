import { describe, expect, it } from 'vitest';
import { sentenceEnd, spoken } from '../../web/chat/src/chat/sentences.ts';
import { answeredInLine, askedInLine, citationsOf, fullValue, toolTitle } from '../../web/chat/src/chat/tool-results.ts';
import { agoText, spanText, timeOfDay } from '../../web/chat/src/ui/clock.ts';
import { tabLabel } from '../../web/chat/src/ui/device.ts';

describe('what a screen reader hears of a growing answer', () => {
  it('hears whole sentences only, and the rest when they are whole', () => {
    const text = 'One seat. Version 1.5 is two';
    const end = sentenceEnd(text, 0);
    expect(text.slice(0, end)).toBe('One seat.');
    expect(sentenceEnd(text, end)).toBe(end);
    const grown = `${text} now!\nMore`;
    expect(grown.slice(end, sentenceEnd(grown, end))).toBe(' Version 1.5 is two now!\n');
  });

  it('hears no signs of Markdown', () => {
    expect(spoken('## Seats\n\n- **one** `two`\n- [three](https://a.example/)\n```ts\n')).toBe('Seats one two three');
  });
});

describe('what a tool did, in a line', () => {
  it('names what was asked without its settings', () => {
    expect(askedInLine({ query: 'free seats', limit: 4 })).toBe('free seats');
    expect(askedInLine({ days: 3 })).toBe('days 3');
    expect(askedInLine({ place: null })).toBe('');
    expect(askedInLine(undefined)).toBe('');
    expect(askedInLine({ query: 'x'.repeat(500) }).length).toBeLessThan(100);
  });

  it('says what came back', () => {
    expect(answeredInLine({ expression: '17 % of 2340', value: 397.8 })).toBe('397.8');
    expect(answeredInLine({ error: 'A division by zero.' })).toBe('A division by zero.');
    expect(answeredInLine([{}, {}, {}])).toBe('3 entries');
    expect(answeredInLine({ found: 0, passages: [] })).toBe('nothing found');
  });

  it('finds sources, and takes nothing else for one', () => {
    expect(citationsOf([{ title: 'Seats', heading: 'When all are taken', text: 'Nobody is refused.', page: 'seats.md' }])).toEqual([
      { number: 1, title: 'Seats: When all are taken', href: null, excerpt: 'Nobody is refused.' },
    ]);
    expect(citationsOf([1, 2].map((n) => ({ title: 'A', text: 'b', number: n + 6 }))).map(({ number }) => number)).toEqual([7, 8]);
    expect(citationsOf({ sources: [{ title: 'A', url: 'https://a.example/' }] })[0]?.href).toBe('https://a.example/');
    expect(citationsOf({ sources: [{ title: 'A', url: 'javascript:alert(1)', text: 'b' }] })[0]?.href).toBeNull();
    for (const other of [null, 'text', 4, [1], [{ label: 'Tab', state: 'in use' }], { results: [{ name: 'Tab' }] }]) expect(citationsOf(other)).toEqual([]);
  });

  it('writes names as words and long values up to a bound', () => {
    expect(toolTitle('search_handbook')).toBe('Search handbook');
    expect(toolTitle('mySessions')).toBe('My sessions');
    expect(fullValue({ a: 'x'.repeat(9_000) })).toMatch(/more characters$/);
  });
});

describe('times and devices in words', () => {
  it('promises nothing too early and remembers nothing too late', () => {
    expect([400, 41_000, 90_001, 7_200_000].map(spanText)).toEqual(['1 s', '41 s', '2 min', '2 h']);
    expect([0, 12_900, 38 * 60_000 + 5_000, 3 * 86_400_000].map(agoText)).toEqual(['now', '12 s', '38 min', '3 days']);
  });

  it('names a tab by its browser, its device and when it was opened', () => {
    const at = Date.UTC(2026, 10, 21, 14, 2);
    const opened = `, opened ${timeOfDay(at)}`;
    expect(tabLabel('Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36', at)).toBe(
      `Chrome on Linux${opened}`,
    );
    const iPhone = 'Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Mobile/15E148 Safari/604.1';
    expect(tabLabel(iPhone, at)).toBe(`Safari on iPhone${opened}`);
    expect(tabLabel('', at)).toBe(`Browser${opened}`);
  });
});
