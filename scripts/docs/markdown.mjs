/** Text as a cell of a table. */
export const cell = (text) => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

/** Names as code, one behind the other. */
export const code = (names) => names.map((name) => `\`${name}\``).join(', ');

/** A table. Cells are Markdown. */
export function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n').replaceAll(/ +\|/g, ' |');
}

/** What stands above a page that is made. */
export const madeFrom = (source) => `<!-- Made from ${source} by scripts/generate-docs.mjs; change it there. -->`;
