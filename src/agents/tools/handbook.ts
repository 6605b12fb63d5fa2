import { readdirSync, readFileSync } from 'node:fs';
import { SpillwayError } from '../../protocol/errors.ts';

/** One section of a handbook page: what a search finds and an answer cites. */
export interface Section {
  /** `seats.md#2`: the page's file and the section's place in it. */
  readonly id: string;
  readonly page: string;
  readonly title: string;
  /** Empty in the section that opens a page. */
  readonly heading: string;
  /** Markdown. */
  readonly text: string;
  /** Other words that people use for what the page is about. */
  readonly keywords: string;
}

/** The bundled texts. The folder lies at the same distance from `src` and from `dist`, in a clone and in the package. */
const FOLDER = new URL('../../../docs/handbook/', import.meta.url);

let bundled: readonly Section[] | null = null;

/** All sections of the bundled handbook, page by page. Read once. Throws SPILLWAY_AGENT_FAILED if the pages are not there. */
export function readHandbook(): readonly Section[] {
  bundled ??= readPages().flatMap(([page, markdown]) => sectionsOf(page, markdown));
  return bundled;
}

function readPages(): readonly (readonly [string, string])[] {
  try {
    const names = readdirSync(FOLDER)
      .filter((name) => name.endsWith('.md'))
      .sort();
    if (names.length === 0) throw new Error('the folder is empty');
    return names.map((name) => [name, readFileSync(new URL(name, FOLDER), 'utf8')] as const);
  } catch (cause) {
    throw new SpillwayError(
      'SPILLWAY_AGENT_FAILED',
      'Expected the handbook of the built-in demo agent in the folder docs/handbook of the package, but it could not be read. Install the package again, or give the gateway another agent.',
      { cause },
    );
  }
}

/** Cuts a page at its headings. Keywords stand in a comment `<!-- keywords: … -->` below the title. */
export function sectionsOf(page: string, markdown: string): readonly Section[] {
  const keywords = /<!--\s*keywords:\s*([^>]*?)\s*-->/.exec(markdown)?.[1] ?? '';
  const [opening = '', ...rest] = markdown.replace(/<!--[^>]*-->\n*/g, '').split(/^## /m);
  const [title = page, ...lines] = opening.replace(/^# /, '').split('\n');
  const pieces = [['', lines.join('\n')] as const, ...rest.map((piece) => [firstLine(piece), piece.slice(firstLine(piece).length)] as const)];
  return pieces
    .map(([heading, text], index) => ({ id: `${page}#${index}`, page, title: title.trim(), heading: heading.trim(), text: text.trim(), keywords }))
    .filter((section) => section.text !== '');
}

const firstLine = (text: string): string => text.split('\n', 1)[0] as string;
