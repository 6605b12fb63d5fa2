/** Markdown inside a line, as values. Nothing here makes HTML; a link is kept only if its address is harmless. */

export type Inline =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'code'; readonly text: string }
  | { readonly kind: 'strong' | 'emphasis' | 'strike'; readonly children: readonly Inline[] }
  | { readonly kind: 'link'; readonly href: string; readonly children: readonly Inline[] }
  | { readonly kind: 'break' };

/** Deeper marks are shown as they were typed. */
const MAX_DEPTH = 6;
const MARKS = [
  ['**', 'strong'],
  ['__', 'strong'],
  ['~~', 'strike'],
  ['*', 'emphasis'],
  ['_', 'emphasis'],
] as const;
const ESCAPABLE = /[\\`*_{}[\]()#+\-.!~>|]/;
const ADDRESS = /^https?:\/\/[^\s<>"`]+/i;
const WORD = /[\p{L}\p{N}]/u;

/** The address if a click on it can only open a page or a mail, else null. Relative addresses are refused: an answer has no place of its own. */
export function safeHref(address: string): string | null {
  const trimmed = address.trim();
  if (!/^(https?:\/\/|mailto:)/i.test(trimmed)) return null;
  try {
    const url = new URL(trimmed);
    return url.protocol === 'https:' || url.protocol === 'http:' || url.protocol === 'mailto:' ? url.href : null;
  } catch {
    return null;
  }
}

/** Reads one paragraph's text. Takes time proportional to its length for every level of nesting. Never throws. */
export function parseInline(text: string, depth = 0): Inline[] {
  const out: Inline[] = [];
  // What a search found stays true for every later start in between, so no text is searched twice.
  const searches = new Map<string, { from: number; index: number }>();
  let plain = '';
  let at = 0;
  const flush = (): void => {
    if (plain !== '') out.push({ kind: 'text', text: plain });
    plain = '';
  };
  const find = (needle: string, from: number): number => {
    const known = searches.get(needle);
    if (known !== undefined && from >= known.from && (known.index < 0 || from <= known.index)) return known.index;
    const index = text.indexOf(needle, from);
    searches.set(needle, { from, index });
    return index;
  };
  const take = (node: Inline, next: number): void => {
    flush();
    out.push(node);
    at = next;
  };

  while (at < text.length) {
    const char = text[at] as string;
    if (char === '\\' && ESCAPABLE.test(text[at + 1] ?? '')) {
      plain += text[at + 1];
      at += 2;
      continue;
    }
    if (char === '\n') {
      // One line break in the source is a line break on the screen: that is what models mean by it.
      take({ kind: 'break' }, at + 1);
      continue;
    }
    if (char === '`') {
      const ticks = /^`+/.exec(text.slice(at, at + 16))?.[0] ?? '`';
      const end = find(ticks, at + ticks.length);
      if (end > 0) {
        take({ kind: 'code', text: text.slice(at + ticks.length, end).trim() || ' ' }, end + ticks.length);
        continue;
      }
      plain += ticks;
      at += ticks.length;
      continue;
    }
    if (char === '[' && depth < MAX_DEPTH) {
      const link = readLink(text, at, find);
      if (link !== null) {
        take({ kind: 'link', href: link.href, children: parseInline(link.label, depth + 1) }, link.end);
        continue;
      }
    }
    if ((char === 'h' || char === 'H' || char === '<') && !WORD.test(text[at - 1] ?? '')) {
      const address = readAddress(text, at);
      if (address !== null) {
        take({ kind: 'link', href: address.href, children: [{ kind: 'text', text: address.label }] }, address.end);
        continue;
      }
    }
    const mark = depth < MAX_DEPTH ? MARKS.find(([sign]) => text.startsWith(sign, at)) : undefined;
    if (mark !== undefined) {
      const [sign, kind] = mark;
      const end = closing(text, sign, at, find);
      if (end > 0) {
        take({ kind, children: parseInline(text.slice(at + sign.length, end), depth + 1) }, end + sign.length);
        continue;
      }
      plain += sign;
      at += sign.length;
      continue;
    }
    plain += char;
    at += 1;
  }
  flush();
  return out;
}

type Find = (needle: string, from: number) => number;

/** Where the partner of the mark at `at` begins, or -1. Marks inside of words (`snake_case`, `2*3*4`) are no marks. */
function closing(text: string, sign: string, at: number, find: Find): number {
  const first = text[at + sign.length] ?? ' ';
  const before = text[at - 1] ?? ' ';
  if (/\s/.test(first) || (sign.startsWith('_') && WORD.test(before))) return -1;
  let end = find(sign, at + sign.length + 1);
  // A single star does not close at the half of a double one.
  while (end > 0 && sign === '*' && text[end + 1] === '*') end = find(sign, end + 2);
  if (end < 0 || /\s/.test(text[end - 1] ?? ' ')) return -1;
  if (sign.startsWith('_') && WORD.test(text[end + sign.length] ?? ' ')) return -1;
  return end;
}

function readLink(text: string, at: number, find: Find): { href: string; label: string; end: number } | null {
  const middle = find('](', at + 1);
  if (middle < 0 || middle - at > 1_000) return null;
  const label = text.slice(at + 1, middle);
  if (label.includes('[') || label.includes('\n\n')) return null;
  const end = find(')', middle + 2);
  if (end < 0 || end - middle > 4_096) return null;
  const [address = ''] = text
    .slice(middle + 2, end)
    .trim()
    .split(/\s+"/);
  const href = safeHref(address);
  return href === null ? null : { href, label, end: end + 1 };
}

function readAddress(text: string, at: number): { href: string; label: string; end: number } | null {
  const start = text[at] === '<' ? at + 1 : at;
  const found = ADDRESS.exec(text.slice(start, start + 2_048))?.[0];
  if (found === undefined) return null;
  if (start !== at && text[start + found.length] !== '>') return null;
  // Punctuation that ends the sentence is not part of the address.
  const label = start === at ? found.replace(/[).,;:!?'\]]+$/, '') : found;
  const href = safeHref(label);
  return href === null ? null : { href, label, end: start + label.length + (start === at ? 0 : 1) };
}
