import { expect, it } from 'vitest';
import { createLog, type LogLevel } from './log.ts';

const logged = (format: 'json' | 'gcp' | 'pretty', level: LogLevel = 'info', project: string | null = null) => {
  const lines: string[] = [];
  return { lines, log: createLog({ format, level, project, write: (line) => lines.push(line) }), first: () => JSON.parse(lines[0] ?? '') };
};

it('writes one JSON object a line, with severity, time, event and message', () => {
  const { lines, log } = logged('json');
  log.record({ severity: 'WARNING', event: 'store-failing', message: 'took 3 s', tookMs: 3_000 });
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/^\{.*\}\n$/);
  expect(JSON.parse(lines[0] ?? '')).toEqual({
    severity: 'WARNING',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    event: 'store-failing',
    message: 'took 3 s',
    tookMs: 3_000,
  });
});

it('leaves out what is less severe than its level, and everything when silent', () => {
  const warn = logged('json', 'warn');
  const none = logged('json', 'silent');
  for (const severity of ['DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL'] as const) {
    warn.log.record({ severity, event: 'stopping', message: 'm' });
    none.log.record({ severity, event: 'stopping', message: 'm' });
  }
  expect(warn.lines.map((line) => JSON.parse(line).severity)).toEqual(['WARNING', 'ERROR', 'CRITICAL']);
  expect(none.lines).toEqual([]);
});

it('keeps a credential that slipped in out of the log', () => {
  const { lines, log } = logged('json');
  log.record({ severity: 'INFO', event: 'stopping', message: 'm', token: 'hunter2', request: { authorization: 'Bearer hunter2', path: '/' } });
  expect(lines[0]).not.toContain('hunter2');
  expect(JSON.parse(lines[0] ?? '').request).toEqual({ authorization: '[secret]', path: '/' });
});

it('writes one line for people, without control sequences', () => {
  const { lines, log } = logged('pretty');
  log.record({ severity: 'ERROR', event: 'agent-failed', message: 'agent said \u001b[2Jno', run: 'run_1', tries: 2 });
  expect(lines).toEqual([expect.stringMatching(/^\d\d:\d\d:\d\d ERROR {4}agent-failed {2}agent said �\[2Jno run=run_1 tries=2\n$/)]);
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
  log.record({ severity: 'INFO', event: 'stopping', message: 'm' });
  expect(lines).toEqual([]);
});

const TRACE = { id: '4bf92f3577b34da6a3ce929d0e0e4736', span: '00f067aa0ba902b7' };
const traced = { severity: 'INFO', event: 'cleanup-finished', message: 'm', trace: `00-${TRACE.id}-${TRACE.span}-01`, cleanup: { run: 'cln_1' } } as const;

it('names the trace that a record belongs to as each format spells it', () => {
  const [json, gcp] = [logged('json'), logged('gcp', 'info', 'shop')];
  for (const { log } of [json, gcp]) log.record(traced);
  expect(json.first()).toMatchObject({ trace_id: TRACE.id, span_id: TRACE.span });
  expect(gcp.first()).toEqual({
    severity: 'INFO',
    time: expect.any(String),
    event: 'cleanup-finished',
    message: 'm',
    cleanup: { run: 'cln_1' },
    'logging.googleapis.com/trace': `projects/shop/traces/${TRACE.id}`,
    'logging.googleapis.com/spanId': TRACE.span,
    'logging.googleapis.com/trace_sampled': true,
    'logging.googleapis.com/insertId': 'cln_1',
    'logging.googleapis.com/operation': { id: 'cln_1', producer: 'spillway.cleanup', last: true },
  });
  expect(json.lines[0]).not.toContain('googleapis');
});

it('writes no trace where a client sent something else, and the bare id where no project is known', () => {
  for (const trace of ['', 'hunter2', `00-${'0'.repeat(32)}-${TRACE.span}-01`, `ff-${TRACE.id}-${TRACE.span}-01`, `00-${TRACE.id}-${TRACE.span}`]) {
    const { log, lines } = logged('gcp');
    log.record({ ...traced, trace });
    expect(lines[0]).not.toContain('googleapis.com/trace');
    expect(lines[0]).not.toContain('hunter2');
  }
  const { log, first } = logged('gcp');
  log.record(traced);
  expect(first()['logging.googleapis.com/trace']).toBe(TRACE.id);
});
