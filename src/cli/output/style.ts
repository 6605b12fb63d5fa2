/** Colours of Okabe and Ito, told apart also by people who see fewer colours; on terminals with 256 colours their nearest. */
const COLOURS = { green: 36, blue: 74, orange: 214, red: 166, grey: 245, purple: 175, yellow: 220 } as const;

export type Colour = keyof typeof COLOURS;

/** Whether standard output takes colour: a terminal does unless `NO_COLOR` is set; with `FORCE_COLOR` everything does. */
export function hasColour(stream: { readonly isTTY?: boolean } = process.stdout, env: NodeJS.ProcessEnv = process.env): boolean {
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR !== undefined) return env.FORCE_COLOR !== '0';
  return stream.isTTY === true && env.TERM !== 'dumb';
}

const wrap = (code: string, text: string): string => (hasColour() && text !== '' ? `\x1b[${code}m${text}\x1b[0m` : text);

export const bold = (text: string): string => wrap('1', text);
export const dim = (text: string): string => wrap('2', text);
export const coloured = (colour: Colour, text: string): string => wrap(`38;5;${COLOURS[colour]}`, text);

// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences of colours begin with one.
const SEQUENCE = /\x1b\[[\d;]*m/g;
const WIDE = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;
const segmenter = new Intl.Segmenter();

/** Columns that a text takes on a terminal. */
export function widthOf(text: string): number {
  const bare = text.replace(SEQUENCE, '');
  if (/^[\x20-\x7e]*$/.test(bare)) return bare.length;
  let width = 0;
  for (const { segment } of segmenter.segment(bare)) width += WIDE.test(segment) ? 2 : 1;
  return width;
}

/** The text in at most so many columns; what is cut off leaves an ellipsis. It must hold no colours yet. */
export function clipped(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  let [kept, width] = ['', 0];
  for (const { segment } of segmenter.segment(text)) {
    width += WIDE.test(segment) ? 2 : 1;
    if (width > columns - 1) break;
    kept += segment;
  }
  return `${kept.trimEnd()}…`;
}

/** What others wrote, safe to print: no control characters, so that a label cannot steer the terminal or break a line. */
export const harmless = (text: string): string => text.replace(/\p{Cc}|[\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, '�');

/** The text in lines of at most so many columns, broken between words, each behind `indent`. */
export function wrapped(text: string, columns: number, indent = ''): string[] {
  const room = Math.max(20, columns - widthOf(indent));
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && widthOf(line) + 1 + widthOf(word) > room) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].map((one) => indent + one);
}

/** Parts beside each other, on as many lines as that takes; no part is broken. */
export function flowed(parts: readonly string[], columns: number, gap = '  '): string[] {
  const lines: string[] = [];
  for (const part of parts) {
    const last = lines.at(-1);
    if (last === undefined || widthOf(last) + gap.length + widthOf(part) > columns) lines.push(part);
    else lines[lines.length - 1] = last + gap + part;
  }
  return lines;
}
