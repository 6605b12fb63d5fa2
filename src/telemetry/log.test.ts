import { expect, it } from 'vitest';
import { createLog, type LogLevel } from './log.ts';

const logged = (format: 'json' | 'pretty', level: LogLevel = 'info') => {
  const lines: string[] = [];
  return { lines, log: createLog({ format, level, write: (line) => lines.push(line) }) };
};

it('writes one JSON object a line, with severity, time, event and message', () => {
  const { lines, log } = logged('json');
  log.record({ severity: 'WARNING', event: 'store-slow', message: 'took 3 s', tookMs: 3_000 });
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/^\{.*\}\n$/);
  expect(JSON.parse(lines[0] ?? '')).toEqual({
    severity: 'WARNING',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    event: 'store-slow',
    message: 'took 3 s',
    tookMs: 3_000,
  });
});

it('leaves out what is less severe than its level, and everything when silent', () => {
  const warn = logged('json', 'warn');
  const none = logged('json', 'silent');
  for (const severity of ['DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL'] as const) {
    warn.log.record({ severity, event: 'e', message: 'm' });
    none.log.record({ severity, event: 'e', message: 'm' });
  }
  expect(warn.lines.map((line) => JSON.parse(line).severity)).toEqual(['WARNING', 'ERROR', 'CRITICAL']);
  expect(none.lines).toEqual([]);
});

it('keeps a credential that slipped in out of the log', () => {
  const { lines, log } = logged('json');
  log.record({ severity: 'INFO', event: 'e', message: 'm', token: 'hunter2', request: { authorization: 'Bearer hunter2', path: '/' } });
  expect(lines[0]).not.toContain('hunter2');
  expect(JSON.parse(lines[0] ?? '').request).toEqual({ authorization: '[secret]', path: '/' });
});

it('writes one line for people, without control sequences', () => {
  const { lines, log } = logged('pretty');
  log.record({ severity: 'ERROR', event: 'run-failed', message: 'agent said \u001b[2Jno', run: 'run_1', tries: 2 });
  expect(lines).toEqual([expect.stringMatching(/^\d\d:\d\d:\d\d ERROR {4}run-failed {2}agent said �\[2Jno run=run_1 tries=2\n$/)]);
});

it('keeps a record full of lists on one line for people, with what it is found by; the whole of it is in the other format', () => {
  const [people, machines] = [logged('pretty'), logged('json')];
  const cleanup = { run: 'cln_1', user: 'ada', levels: [{ level: 'moderate' }], victims: [{ managerId: 'mgr_1' }], kept: [], result: 'enough' };
  for (const { log } of [people, machines])
    log.record({ severity: 'INFO', event: 'cleanup-finished', message: `Freed 1 of 20 seats. Went: ${'mgr_1, '.repeat(100)}`, cleanup });
  expect(people.lines).toEqual([expect.stringMatching(/ cleanup-finished {2}Freed 1 of 20 seats\. Went: .{100,180}… run=cln_1 user=ada result=enough\n$/)]);
  expect(JSON.parse(machines.lines[0] ?? '')).toMatchObject({ cleanup, message: expect.stringMatching(/mgr_1, $/) });
});

it('drops records after it was closed', () => {
  const { lines, log } = logged('json');
  log.close();
  log.record({ severity: 'INFO', event: 'e', message: 'm' });
  expect(lines).toEqual([]);
});
