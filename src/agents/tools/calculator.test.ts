import { describe, expect, it } from 'vitest';
import { calculate } from './calculator.ts';

describe('the calculator', () => {
  it.each([
    ['2+3*4', 14],
    ['0.1+0.2', 0.3],
    ['-2^2', -4],
    ['2^3^2', 512],
    ['10 - 4 - 3', 3],
    ['10 % 4', 2],
    ['5!', 120],
    ['sqrt(2)^2', 2],
    ['sin(PI/2)', 1],
    ['max(1, 7, 3)', 7],
    ['1.5e3*2', 3000],
    ['(15/100)*80', 12],
  ])('%s = %d', (expression, value) => expect(calculate(expression)).toEqual({ expression, value }));

  it.each([
    ['', 'nothing to calculate'],
    ['2+', 'not a complete'],
    ['(1,2)', 'not a complete'],
    ['1/0', 'infinite'],
    ['sqrt(0-1)', 'no result'],
    ['constructor(1)', 'constructor'],
    ['toString', 'toString'],
    ['random()', 'random'],
    ['x=3', '='],
    ['"a"', '"'],
    ['1;2', ';'],
    [`1${'+1'.repeat(200)}`, '200 characters'],
    ['('.repeat(150), 'not a complete'],
  ])('%j is answered in words', (expression, words) => expect(() => calculate(expression)).toThrow(words));
});
