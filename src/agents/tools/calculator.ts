import { Parser } from 'expr-eval-fork';

export interface Calculation {
  readonly expression: string;
  readonly value: number;
}

/** Longest expression that is calculated. Nobody types a longer one into a chat, and it bounds the parser's work. */
const MAX_LENGTH = 200;

/** Everything that may be named. The parser knows more (strings, arrays, random numbers, conditions); none of that is arithmetic. */
const NAMES = new Set([
  'sin', 'cos', 'tan', 'asin', 'acos', 'atan', 'sinh', 'cosh', 'tanh', 'sqrt', 'cbrt', 'ln', 'log10', 'log2', 'exp',
  'abs', 'ceil', 'floor', 'round', 'trunc', 'sign', 'min', 'max', 'pow', 'hypot', 'PI', 'E',
]); // biome-ignore format: a list of words reads better as lines

const parser = new Parser({
  operators: {
    logical: false,
    comparison: false,
    concatenate: false,
    conditional: false,
    assignment: false,
    fndef: false,
    in: false,
    random: false,
    length: false,
  },
});

/** Calculates an arithmetic expression: + - * / % ^ !, parentheses, the usual functions, PI and E. Angles are radians.
 *  Throws an `Error` whose message is fit for the person who typed it. */
export function calculate(expression: string): Calculation {
  const text = expression.trim();
  if (text === '') throw new Error('There is nothing to calculate.');
  if (text.length > MAX_LENGTH) throw new Error(`An expression may have ${MAX_LENGTH} characters; this one has ${text.length}.`);
  const strange = /[^0-9A-Za-z.,+\-*/%^!()\s]/.exec(text);
  if (strange) throw new Error(`“${strange[0]}” is not part of arithmetic.`);
  for (const name of text.replace(/\d+(\.\d+)?e[+-]?\d+/gi, '0').match(/[A-Za-z]\w*/g) ?? []) {
    if (!NAMES.has(name)) throw new Error(`“${name}” is not a function this calculator knows. It knows ${[...NAMES].join(', ')}.`);
  }
  const value = evaluate(text);
  if (typeof value !== 'number' || Number.isNaN(value)) throw new Error('This has no result that is a number.');
  if (!Number.isFinite(value)) throw new Error('The result is infinite: a division by zero, or larger than a number can be here.');
  // Twelve digits hide the binary rounding of sums such as 0.1 + 0.2 without hiding anything that a person would miss.
  return { expression: text, value: Number.isInteger(value) ? value : Number(value.toPrecision(12)) };
}

function evaluate(text: string): unknown {
  try {
    return parser.evaluate(text);
  } catch {
    // The parser's own message speaks of tokens and columns; what was typed says more to a person.
    throw new Error(`“${text}” is not a complete arithmetic expression.`);
  }
}
