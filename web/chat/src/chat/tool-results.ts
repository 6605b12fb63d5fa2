/** What an agent's tool brought back, as a person reads it. Tools are free in what they return, so nothing is taken for granted. */

export interface Citation {
  /** The number under which the answer cites it. */
  readonly number: number;
  readonly title: string;
  readonly href: string | null;
  readonly excerpt: string | null;
}

const LISTS = ['citations', 'passages', 'sources', 'results', 'hits', 'documents'];
const TITLES = ['title', 'name', 'source'];
const EXCERPTS = ['excerpt', 'snippet', 'text', 'quote', 'content'];
const MAX_CITATIONS = 20;
const MAX_TEXT = 4_000;
const MAX_INLINE = 90;

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null && !Array.isArray(value);

function firstText(record: Readonly<Record<string, unknown>>, keys: readonly string[]): string | null {
  for (const key of keys) {
    const value = record[key];
    if (typeof value === 'string' && value.trim() !== '') return value.trim();
  }
  return null;
}

/** The sources that a result names; empty for results that are no list of sources. */
export function citationsOf(results: unknown): Citation[] {
  const list = Array.isArray(results) ? results : isRecord(results) ? LISTS.map((key) => results[key]).find(Array.isArray) : undefined;
  if (list === undefined) return [];
  const found: Citation[] = [];
  for (const item of list.slice(0, MAX_CITATIONS)) {
    if (!isRecord(item)) continue;
    const title = firstText(item, TITLES);
    const excerpt = firstText(item, EXCERPTS);
    const url = firstText(item, ['url', 'href', 'link']);
    // Something with a name alone is no source: there is nothing to look up.
    if (title === null || (excerpt === null && url === null && firstText(item, ['page']) === null)) continue;
    const heading = firstText(item, ['heading', 'section']);
    found.push({
      number: Number.isSafeInteger(item.number) ? (item.number as number) : found.length + 1,
      title: heading === null ? title : `${title}: ${heading}`,
      href: url !== null && /^https?:\/\//i.test(url) ? url : null,
      excerpt,
    });
  }
  return found;
}

/** "search_handbook" → "Search handbook". */
export function toolTitle(name: string): string {
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/[_\-.]+/g, ' ')
    .trim()
    .toLowerCase();
  return words === '' ? 'Tool' : `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
}

/** What a tool was asked, in one line: `all seats taken`. Empty where there is nothing to say. */
export const askedInLine = (parameters: unknown): string => cut(inLine(parameters, ', '));

/** What a tool answered, in one line: `397.8`, `UTC · 14:05`, `3 entries`. Empty where there is nothing to say. */
export function answeredInLine(results: unknown): string {
  if (Array.isArray(results)) return results.length === 1 ? '1 entry' : `${results.length} entries`;
  if (isRecord(results) && LISTS.some((key) => Array.isArray(results[key]) && results[key].length === 0)) return 'nothing found';
  const main = isRecord(results) ? (results.error ?? results.value ?? results.answer) : undefined;
  return cut(inLine(main ?? results, ' · '));
}

const cut = (text: string): string => (text.length > MAX_INLINE ? `${text.slice(0, MAX_INLINE - 1)}…` : text);

function inLine(value: unknown, between: string): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'string') return value;
  if (!isRecord(value)) return JSON.stringify(value);
  const values = Object.values(value);
  // Words say most; figures alone need their names.
  const words = values.filter((one) => typeof one === 'string' && one !== '');
  if (words.length > 0) return words.join(between);
  return Object.entries(value)
    .filter(([, one]) => one !== undefined && one !== null && one !== '')
    .map(([key, one]) => `${key} ${JSON.stringify(one)}`)
    .join(between);
}

/** A value in full, for who opens the step. */
export function fullValue(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value, null, 2) ?? '');
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}\n… ${text.length - MAX_TEXT} more characters` : text;
}
