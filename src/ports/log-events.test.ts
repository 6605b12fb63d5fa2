import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { LOG_EVENTS, type LogEventName } from './log-events.ts';

const root = new URL('..', import.meta.url).pathname;
const sources = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && !file.endsWith('log-events.ts'))
  .map((file) => readFileSync(join(root, file), 'utf8'));

const severities = (event: LogEventName): readonly string[] => [LOG_EVENTS[event].severity].flat();

it('lists no record that nothing writes', () => {
  const unwritten = Object.keys(LOG_EVENTS).filter((name) => !sources.some((text) => text.includes(`event: '${name}'`)));
  expect(unwritten).toEqual([]);
});

it('lists the severity with which each is written', () => {
  const others = sources
    .flatMap((text) => [...text.matchAll(/severity: '([A-Z]+)',\s+event: '([a-z-]+)'/g)])
    .filter(([, severity = '', event]) => !severities(event as LogEventName).includes(severity))
    .map(([, severity, event]) => `${event} ${severity}`);
  expect(others).toEqual([]);
});
