import MiniSearch from 'minisearch';
import type { Section } from './handbook.ts';

/** A section that answers a question, or part of it. */
export interface Passage {
  readonly title: string;
  readonly heading: string;
  readonly text: string;
  readonly page: string;
  readonly id: string;
  readonly score: number;
}

export interface HandbookSearch {
  /** At most `limit` passages, the best first; none when the handbook has nothing about `query`. The query `*` stands for
   *  everything, in the handbook's own order. */
  search(query: string, limit: number): readonly Passage[];
}

/** Words that say nothing about what a question is about. */
const STOP_WORDS = new Set(
  (
    'a about again all also am an and any anything are as at be because been but by can could did do does doing done dont either else ever every for from get gets give go going good got had has have he ' +
    'help her here hey hi him his how i if im in into is isnt it its just know let like make many may me mean means more most much must my need no not now of off ok on one only or other our out over ' +
    'please possible put said say she should show so some something still such take tell than thank thanks that the their them then there these they thing things this those to too up us use used using ' +
    'very want was way we well were what whats when where which while who whom whose why will with without would write you your yours explain describe mention question answer understand really actually already says said happen happens work works worked working'
  ).split(' '),
);

/** A passage must speak of at least this share of the question's own words, weighed by how rare they are in the handbook. */
const MIN_COVERAGE = 0.55;
/** Passages below this share of the best one's score are about something else. */
const MIN_RELATIVE_SCORE = 0.35;

/** The two words of "log in", "sign in" or "how many" mean nothing each. */
const LOGGING_IN = /\b(?:log|sign)(?:ged|ging|ned|ing)?[\s-]+(?:in|on)\b/g;

/** The words of `text` as the index knows them. */
export function termsOf(text: string): readonly string[] {
  const plain = text
    .toLowerCase()
    .replaceAll(/['’]/g, '')
    .replace(LOGGING_IN, 'login')
    .replace(/\bhow many\b/g, 'limit');
  return (plain.match(/[\p{L}\p{N}]+/gu) ?? []).filter((word) => !STOP_WORDS.has(word)).map(stem);
}

/** Brings the forms of an English word together, roughly: both sides of a comparison go through it, so it need not be right, only equal. */
function stem(word: string): string {
  if (word.length <= 3) return word;
  const bare = word
    .replace(/(?:ies|ied)$/, 'y')
    .replace(/(?:'s|s)$/, (s) => (word.endsWith('ss') ? s : ''))
    .replace(/(?:ing|ed|er|ers)$/, '');
  return bare.length >= 3 ? bare.replace(/([bdgklmnprt])\1$/, '$1').replace(/e$/, '') : word;
}

/** An index over `sections`, held in memory. */
export function handbookSearch(sections: readonly Section[]): HandbookSearch {
  const index = new MiniSearch<Section>({
    fields: ['title', 'heading', 'text', 'keywords'],
    tokenize: (text) => [...termsOf(text)],
    processTerm: (term) => term,
    searchOptions: {
      tokenize: (terms) => terms.split(' '),
      boost: { title: 3, heading: 3, keywords: 2 },
      prefix: (term) => term.length >= 4,
      fuzzy: (term) => (term.length >= 6 ? 0.2 : false),
    },
  });
  index.addAll(sections);
  const byId = new Map(sections.map((section) => [section.id, section]));
  const rarity = rarityOf(sections);

  return {
    search(query, limit) {
      if (query.trim() === '*') return sections.slice(0, limit).map((section) => passageOf(section, 0));
      const wanted = [...new Set(termsOf(query))];
      const hits = wanted.length === 0 ? [] : index.search(wanted.join(' '));
      const whole = sum(wanted.map(rarity));
      const fitting = hits.filter((hit) => sum([...new Set(hit.queryTerms)].map(rarity)) >= whole * MIN_COVERAGE);
      const best = fitting[0]?.score ?? 0;
      return fitting
        .filter((hit) => hit.score >= best * MIN_RELATIVE_SCORE)
        .slice(0, limit)
        .map((hit) => passageOf(byId.get(hit.id as string) as Section, hit.score));
    },
  };
}

/** Pages in the order of their best passage, each page's passages in their own order. */
export function inReadingOrder(passages: readonly Passage[]): readonly Passage[] {
  const pages = [...new Set(passages.map((passage) => passage.page))];
  return pages.flatMap((page) => passages.filter((passage) => passage.page === page).sort((a, b) => placeOf(a) - placeOf(b)));
}

const placeOf = (passage: Passage): number => Number(passage.id.split('#').at(-1));

const passageOf = ({ title, heading, text, page, id }: Section, score: number): Passage => ({
  title,
  heading,
  text,
  page,
  id,
  score: Math.round(score * 100) / 100,
});

/** A word that the handbook does not have weighs like one of this many sections, so that one chance word does not outweigh the rest. */
const UNKNOWN_LIKE = 2;

/** How much a word says: nearly nothing if every section has it. */
function rarityOf(sections: readonly Section[]): (term: string) => number {
  const count = new Map<string, number>();
  for (const section of sections) {
    for (const term of new Set(termsOf(`${section.title} ${section.heading} ${section.text} ${section.keywords}`))) count.set(term, (count.get(term) ?? 0) + 1);
  }
  return (term) => Math.log(1 + sections.length / (0.5 + (count.get(term) ?? UNKNOWN_LIKE)));
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, n) => total + n, 0);
