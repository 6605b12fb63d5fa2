/** Finished sentences of a growing text, for who listens instead of reading. */

/** The end of the last finished sentence or line of `text`, at or behind `from`. */
export function sentenceEnd(text: string, from: number): number {
  let end = from;
  const ends = /[.!?…:]["'”’)\]*_]*(?=\s)|\n/g;
  ends.lastIndex = from;
  for (let found = ends.exec(text); found !== null; found = ends.exec(text)) end = found.index + found[0].length;
  return end;
}

/** Markdown without its signs, as it is read aloud. */
export function spoken(markdown: string): string {
  return markdown
    .replace(/^ {0,3}(```|~~~).*$/gm, ' ')
    .replace(/!?\[([^\]\n]{0,500})\]\([^)\s]{0,2000}\)/g, '$1')
    .replace(/^ {0,3}(#{1,6}|>|[-*+]) +/gm, '')
    .replace(/[*_`~|]+/g, '')
    .replace(/\s+/g, ' ')
    .trim();
}
