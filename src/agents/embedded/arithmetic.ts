/** Finds arithmetic in what a person wrote. */

const WORDS: readonly (readonly [RegExp, string])[] = [
  [/\bto the power of\b/g, '^'],
  [/\b(?:multiplied by|times)\b/g, '*'],
  [/\b(?:divided by|over)\b/g, '/'],
  [/\bplus\b/g, '+'],
  [/\bminus\b/g, '-'],
  [/\b(?:mod|modulo)\b/g, '%'],
  [/\bsquared\b/g, '^2'],
  [/\bcubed\b/g, '^3'],
  [/\b(?:the )?square root of (\d+(?:\.\d+)?)/g, 'sqrt($1)'],
  [/\b(?:the )?cube root of (\d+(?:\.\d+)?)/g, 'cbrt($1)'],
  [/(\d+(?:\.\d+)?)\s*(?:%|percent) of (\d+(?:\.\d+)?)/g, '($1/100)*$2'],
  [/[×·]/g, '*'],
  [/÷/g, '/'],
  [/−/g, '-'],
  [/\*\*/g, '^'],
  [/\bpi\b|π/g, 'PI'],
  [/(\d)\s*x\s*(?=\d)/g, '$1*'],
  [/(\d),(?=\d{3}\b)/g, '$1'],
];

const NUMBER = /(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|PI)/;
const FUNCTION = /(?:sqrt|cbrt|sin|cos|tan|asin|acos|atan|ln|log10|log2|exp|abs|round|floor|ceil|trunc|min|max|pow|hypot)(?=\s*\()/;
/** The longest stretch that is made of numbers, operators, parentheses and functions only. */
const STRETCH = new RegExp(`(?:${NUMBER.source}|${FUNCTION.source}|[-+*/%^!(),\\s])+`, 'g');
const OPERATION = new RegExp(`\\d\\s*!|(?:${NUMBER.source}|\\))\\s*[-+*/%^]\\s*[-+(]*(?:${NUMBER.source}|${FUNCTION.source})|${FUNCTION.source}\\s*\\(`);
/** Dates, versions and ranges look like sums. */
const NOT_ARITHMETIC = /\b\d{4}-\d{1,2}-\d{1,2}\b|\b\d{1,2}\/\d{1,2}\/\d{2,4}\b|\b\d+\.\d+\.\d+\b|\b24\s*\/\s*7\b/g;

/** "5-10 seconds" and "codes 4000-4099" are ranges, unless the sum is all that was written. */
const RANGE = /^\d+-\d+$/;
const SUM_ALONE = /^(?:what(?:'s| is)|calculate|compute|how much is)?\s*\d+-\d+\s*[=?.\s]*$/;

/** The arithmetic expression in `text` as the calculator reads it, or null if there is none. */
export function findExpression(text: string): string | null {
  let plain = text.toLowerCase().replace(NOT_ARITHMETIC, ' ');
  for (const [pattern, written] of WORDS) plain = plain.replace(pattern, written);
  const stretches = plain.match(STRETCH) ?? [];
  const found = stretches.filter((stretch) => OPERATION.test(stretch)).sort((a, b) => b.length - a.length)[0];
  if (found === undefined) return null;
  const expression = balance(found.replace(/^[\s*/%^,]+|[-+*/%^,\s]+$/g, ''));
  return RANGE.test(expression) && !SUM_ALONE.test(plain.trim()) ? null : expression;
}

/** Takes away an outermost parenthesis that only belonged to the sentence, as in "(2+3" or "2+3)". */
function balance(expression: string): string {
  const open = expression.split('(').length;
  const closed = expression.split(')').length;
  if (open > closed && expression.startsWith('(')) return expression.slice(1).trim();
  if (closed > open && expression.endsWith(')')) return expression.slice(0, -1).trim();
  return expression;
}
