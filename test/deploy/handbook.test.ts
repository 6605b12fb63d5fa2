/** docs/operations/alerts.md tells whoever was woken what to type: every command, flag, option and kind of event that it names is there. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { expect, test } from 'vitest';
import { createProgram } from '../../src/cli/program.ts';
import { OPTIONS } from '../../src/core/options.ts';
import { LOG_EVENTS } from '../../src/ports/log-events.ts';
import { EVENT_TYPES } from '../../src/protocol/event-types.ts';
import { alertsOf } from '../../src/telemetry/alerts.ts';
import { METRICS } from '../../src/telemetry/metrics.ts';
import { ROOT } from './check.ts';

const PAGE = readFileSync(join(ROOT, 'docs', 'operations', 'alerts.md'), 'utf8');
const COMMANDS = [...PAGE.matchAll(/`spillway ([^`]+)`/g)].map(([, line = '']) => line);

/** What is wrong with a command line; null if nothing is. */
function problemOf(line: string): string | null {
  let command: Command = createProgram();
  const rest: string[] = [];
  for (const word of line.split(' ')) {
    const sub = rest.length === 0 ? command.commands.find((one) => one.name() === word) : undefined;
    if (sub === undefined) rest.push(word);
    else command = sub;
  }
  if (command.parent === null || command.commands.length > 0) return 'no such command';
  const flags = new Set(command.options.flatMap(({ short, long }) => [short, long]));
  const unknown = rest.filter((word) => word.startsWith('-') && !flags.has(word));
  return unknown.length === 0 ? null : `no such flag: ${unknown.join(', ')}`;
}

test('commands that it names are there, with their flags', () => {
  expect(COMMANDS.length).toBeGreaterThan(30);
  const problems = COMMANDS.map((line) => [line, problemOf(line)]).filter(([, problem]) => problem !== null);
  expect(problems).toEqual([]);
  expect(problemOf('users liberate ada')).not.toBeNull();
  expect(problemOf('cleanup history --until 1h')).toBe('no such flag: --until');
});

test('options and metrics that it names are there', () => {
  const options = [...PAGE.matchAll(/`((?:limits|cleanup|health|log|goldenPath|alerts|queue|rate)\.[\w.]+)`/g)].map(([, key = '']) => key);
  expect(options.filter((key) => !(key in OPTIONS))).toEqual([]);
  for (const [, key = ''] of PAGE.matchAll(/config explain ([\w.]+)/g)) expect(Object.keys(OPTIONS)).toContain(key);
  for (const [, name = ''] of PAGE.matchAll(/`(\w+_(?:seconds|total|bytes))`/g)) expect(Object.keys(METRICS)).toContain(name);
  for (const [, event = ''] of PAGE.matchAll(/(?:events\?type=|--type )([\w-]+)/g)) expect(EVENT_TYPES).toContain(event);
  for (const [, event = ''] of PAGE.matchAll(/`((?:watch|cleanup|store)-fail\w+|attention-lost)`/g)) expect(Object.keys(LOG_EVENTS)).toContain(event);
});

test('every alert has its section, under the anchor that it is told with', () => {
  const sections = [...PAGE.matchAll(/^## (\w+)$/gm)].map(([, name]) => name);
  expect(sections.join()).toBe(
    alertsOf()
      .map(({ name }) => name)
      .join(),
  );
});
