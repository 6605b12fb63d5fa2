/** Markdown of an answer as values: paragraphs, headings, lists, code, quotations, tables. It is read anew while it grows,
 *  so what is not complete yet (an open fence, half a table) is shown as what it will most likely become. */

import { type Inline, parseInline } from './inline.ts';

export type Block =
  | { readonly kind: 'paragraph'; readonly children: readonly Inline[] }
  | { readonly kind: 'heading'; readonly level: number; readonly children: readonly Inline[] }
  | { readonly kind: 'code'; readonly language: string; readonly text: string }
  | { readonly kind: 'quote'; readonly blocks: readonly Block[] }
  | { readonly kind: 'list'; readonly ordered: boolean; readonly start: number; readonly items: readonly (readonly Block[])[] }
  | { readonly kind: 'table'; readonly head: readonly (readonly Inline[])[]; readonly rows: readonly (readonly (readonly Inline[])[])[] }
  | { readonly kind: 'rule' };

/** A block with the text it was read from: equal text, equal block. */
export interface SourcedBlock {
  readonly source: string;
  readonly block: Block;
}

const MAX_DEPTH = 6;
const FENCE = /^ {0,3}(`{3,}|~{3,})\s*([\w+#.-]{0,40})/;
const HEADING = /^ {0,3}(#{1,6})\s+(.*?)\s*#*\s*$/;
const RULE = /^ {0,3}([-*_])(?: *\1){2,} *$/;
const ITEM = /^( *)([-*+]|\d{1,9}[.)])( +|$)/;
const QUOTE = /^ {0,3}> ?/;
const TABLE_RULE = /^ *\|? *:?-+:? *(\| *:?-+:? *)*\|? *$/;

/** Reads a whole answer. Never throws. */
export function parseMarkdown(text: string): SourcedBlock[] {
  return readBlocks(text.replace(/\r\n?/g, '\n').replaceAll('\t', '    ').split('\n'), 0);
}

function readBlocks(lines: readonly string[], depth: number): SourcedBlock[] {
  const out: SourcedBlock[] = [];
  let at = 0;
  while (at < lines.length) {
    if (lines[at]?.trim() === '') {
      at += 1;
      continue;
    }
    const { block, next } = readBlock(lines, at, depth);
    out.push({ source: lines.slice(at, next).join('\n'), block });
    at = next;
  }
  return out;
}

interface Read {
  readonly block: Block;
  readonly next: number;
}

function readBlock(lines: readonly string[], at: number, depth: number): Read {
  const line = lines[at] as string;
  const fence = FENCE.exec(line);
  if (fence !== null) return readFence(lines, at, fence);
  const heading = HEADING.exec(line);
  if (heading !== null) return { block: { kind: 'heading', level: (heading[1] as string).length, children: parseInline(heading[2] ?? '') }, next: at + 1 };
  if (RULE.test(line)) return { block: { kind: 'rule' }, next: at + 1 };
  if (depth < MAX_DEPTH && QUOTE.test(line)) return readQuote(lines, at, depth);
  if (depth < MAX_DEPTH && ITEM.test(line)) return readList(lines, at, depth);
  if (line.includes('|') && TABLE_RULE.test(lines[at + 1] ?? '') && (lines[at + 1] as string).includes('-')) return readTable(lines, at);
  return readParagraph(lines, at, depth);
}

function readFence(lines: readonly string[], at: number, fence: RegExpExecArray): Read {
  const mark = fence[1] as string;
  let end = at + 1;
  while (end < lines.length && !((lines[end] as string).trim().startsWith(mark) && (lines[end] as string).trim().replaceAll(mark[0] as string, '') === ''))
    end += 1;
  const text = lines.slice(at + 1, end).join('\n');
  return { block: { kind: 'code', language: fence[2] ?? '', text }, next: Math.min(end + 1, lines.length) };
}

function readQuote(lines: readonly string[], at: number, depth: number): Read {
  let end = at;
  while (end < lines.length && QUOTE.test(lines[end] as string)) end += 1;
  const inner = lines.slice(at, end).map((line) => line.replace(QUOTE, ''));
  return { block: { kind: 'quote', blocks: readBlocks(inner, depth + 1).map((b) => b.block) }, next: end };
}

function readList(lines: readonly string[], at: number, depth: number): Read {
  const first = ITEM.exec(lines[at] as string) as RegExpExecArray;
  const indent = (first[1] as string).length;
  const ordered = /\d/.test(first[2] as string);
  const items: Block[][] = [];
  let next = at;
  while (next < lines.length) {
    const item = ITEM.exec(lines[next] as string);
    if (item === null || (item[1] as string).length > indent + 1 || (item[1] as string).length < indent || /\d/.test(item[2] as string) !== ordered) break;
    if (RULE.test(lines[next] as string)) break;
    const inside = item[0].length;
    const own = [(lines[next] as string).slice(inside)];
    next += 1;
    while (next < lines.length) {
      const line = lines[next] as string;
      const lead = line.length - line.trimStart().length;
      if (line.trim() === '') {
        // A blank line stays inside only if what follows is indented as part of this item, or is the next item.
        const after = lines[skipBlank(lines, next)];
        if (after === undefined || after.length - after.trimStart().length <= indent) break;
      } else if (lead <= indent && (ITEM.test(line) || FENCE.test(line) || HEADING.test(line) || QUOTE.test(line) || lines[next - 1]?.trim() === '')) break;
      own.push(line.slice(Math.min(lead, inside)));
      next += 1;
    }
    items.push(readBlocks(own, depth + 1).map((b) => b.block));
    const following = skipBlank(lines, next);
    if (following > next && ITEM.exec(lines[following] ?? '')?.[1]?.length === indent) next = following;
  }
  return { block: { kind: 'list', ordered, start: ordered ? Number.parseInt(first[2] as string, 10) : 1, items }, next };
}

/** The first line from `at` on that is not blank; `lines.length` if there is none. */
function skipBlank(lines: readonly string[], at: number): number {
  let next = at;
  while (next < lines.length && (lines[next] as string).trim() === '') next += 1;
  return next;
}

const cells = (line: string): Inline[][] =>
  line
    .trim()
    .replace(/^\||\|$/g, '')
    .split('|')
    .map((cell) => parseInline(cell.trim()));

function readTable(lines: readonly string[], at: number): Read {
  let end = at + 2;
  while (end < lines.length && (lines[end] as string).includes('|')) end += 1;
  return { block: { kind: 'table', head: cells(lines[at] as string), rows: lines.slice(at + 2, end).map(cells) }, next: end };
}

function readParagraph(lines: readonly string[], at: number, depth: number): Read {
  let end = at + 1;
  const starts = (line: string): boolean =>
    line.trim() === '' || FENCE.test(line) || HEADING.test(line) || RULE.test(line) || (depth < MAX_DEPTH && (QUOTE.test(line) || ITEM.test(line)));
  while (end < lines.length && !starts(lines[end] as string)) end += 1;
  const text = lines.slice(at, end).map((line) => line.trim());
  return { block: { kind: 'paragraph', children: parseInline(text.join('\n')) }, next: end };
}
