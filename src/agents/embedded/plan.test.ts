import { describe, expect, it } from 'vitest';
import { findExpression } from './arithmetic.ts';
import { MAX_WORDS, planAnswer } from './plan.ts';

const tools = (text: string, earlier: string[] = []) => planAnswer(text, earlier).calls.map((call) => call.tool);

describe('which tools the demo agent uses', () => {
  it.each([
    'What is a session?',
    'Why was my tab paused?',
    'How long does it take?',
    'Does the queue have a time-out?',
    'What happens to my tabs when I log out?',
    'What is the time limit of the queue?',
    '',
  ])('a question is searched for: %s', (text) => expect(tools(text)).toEqual(['search']));
  it.each(['What is 2+2?', 'calculate 12 * (3 + 4)', '15% of 80', 'square root of 2', 'What is 3 squared'])('arithmetic is calculated: %s', (text) =>
    expect(tools(text)).toEqual(['calculator']),
  );
  it.each(['What time is it?', 'what is the date today', 'which day is it', 'time in Berlin please'])('the clock is read: %s', (text) =>
    expect(tools(text)).toEqual(['clock']),
  );
  it.each(['Show my sessions', 'how many tabs do I have open', 'Which devices are connected', 'where am I logged in'])('the sessions are listed: %s', (text) =>
    expect(tools(text)).toEqual(['sessions']),
  );

  it('two wishes in one message use two tools', () => expect(tools('What is 10% of 250 and what time is it in Berlin?')).toEqual(['clock', 'calculator']));
  it('the place of a clock is what the person wrote', () =>
    expect(planAnswer('What time is it in São Paulo and in general?').calls).toEqual([{ tool: 'clock', place: 'são paulo' }]));
  it('a greeting and "who are you" bring an introduction', () => {
    for (const text of ['Hello!', 'Who are you?', 'what can you do', 'thanks'])
      expect(planAnswer(text)).toMatchObject({ answer: 'introduction', calls: [{ tool: 'search' }] });
  });
  it('"tell me more" goes on with the question before', () =>
    expect(planAnswer('Tell me more', ['Why is the sky blue?', 'tell me more']).calls).toMatchObject([{ tool: 'search', query: 'Why is the sky blue?' }]));
});

describe('long answers to try things out with', () => {
  it.each([
    ['count to 200', 1, 200],
    ['Please count from 5 to 20', 5, 20],
    ['count down from 10 to 1', 10, 1],
    ['Can you count slowly to 1,000?', 1, 1000],
  ])('%s', (text, from, to) => expect(planAnswer(text)).toMatchObject({ answer: 'count', from, to, calls: [{ tool: 'calculator' }] }));

  it('an essay is about its topic and as long as was asked for', () => {
    expect(planAnswer('Write a 300-word essay about eviction')).toMatchObject({ answer: 'long', words: 300, calls: [{ query: 'eviction' }, { query: '*' }] });
    expect(planAnswer('write a long answer')).toMatchObject({ answer: 'long', calls: [{ query: '*' }] });
    expect(planAnswer('write 90000 words')).toMatchObject({ words: MAX_WORDS });
  });
});

describe('what is arithmetic in a sentence', () => {
  it.each([
    ['what is 2 + 2 = ?', '2 + 2'],
    ['12 times 7', '12 * 7'],
    ['10 - 4 - 3', '10 - 4 - 3'],
    ['15% of 80', '(15/100)*80'],
    ['1,000 * 3', '1000 * 3'],
    ['3 x 4', '3*4'],
    ['What is (1+2)*3)?', '(1+2)*3'],
    ['sin(pi/2)', 'sin(PI/2)'],
    ['5!', '5!'],
    ['what is 9-5?', '9-5'],
  ])('%s', (text, expression) => expect(findExpression(text)).toBe(expression));
  it.each(['is it there 24/7', 'on 2024-05-01', 'version 1.2.3', 'is 5-10 seconds normal?', 'What is C++?', 'node 22.18', '4 MiB / day'])(
    'no arithmetic: %s',
    (text) => expect(findExpression(text)).toBeNull(),
  );

  it('a message of nothing but digits is planned at once', () => {
    const before = performance.now();
    planAnswer('1'.repeat(250_000));
    expect(performance.now() - before).toBeLessThan(1_000);
  });
});
