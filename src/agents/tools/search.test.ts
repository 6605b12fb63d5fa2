import { describe, expect, it } from 'vitest';
import { sectionsOf } from './handbook.ts';
import { handbookSearch } from './search.ts';

const sections = [
  ...sectionsOf(
    'boats.md',
    '# Boats\n<!-- keywords: ship, vessel -->\n\nA boat floats on water.\n\n## Oars\n\nOars move a boat forward.\n\n## Sails\n\nSails catch the wind.\n',
  ),
  ...sectionsOf('bread.md', '# Bread\n\nBread is baked from flour and water.\n\n```sh\n# not a heading\n```\n'),
];

describe('a page becomes sections', () => {
  it('cut at its headings, comments left out', () => {
    expect(sections.map(({ id, title, heading }) => [id, title, heading])).toEqual([
      ['boats.md#0', 'Boats', ''],
      ['boats.md#1', 'Boats', 'Oars'],
      ['boats.md#2', 'Boats', 'Sails'],
      ['bread.md#0', 'Bread', ''],
    ]);
    expect(sections[0]).toMatchObject({ text: 'A boat floats on water.', keywords: 'ship, vessel' });
    expect(sections[3]?.text).toContain('# not a heading');
  });
});

describe('a search', () => {
  const { search } = handbookSearch(sections);
  it('finds other forms of a word', () => expect(search('What were the sailing boats?', 1)[0]?.id).toBe('boats.md#2'));
  it('finds a page by its keywords', () => expect(search('ships', 5).map((passage) => passage.page)).toEqual(['boats.md', 'boats.md', 'boats.md']));
  it('forgives a slip', () => expect(search('flouwer bread', 1)[0]?.page).toBe('bread.md'));
  it('finds nothing where most of the question is about something else', () => expect(search('Which planets have water rings?', 5)).toEqual([]));
  it('finds nothing for words that say nothing', () => expect(search('What about that?', 5)).toEqual([]));
  it('gives everything for *', () => expect(search('*', 99)).toHaveLength(sections.length));
});
