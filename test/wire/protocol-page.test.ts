import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createAccounts } from '../../src/auth/accounts.ts';
import { FIELDS, TYPE_ALIASES } from '../../src/codecs/agent-event-fields.ts';
import { OPTIONS, type OptionKey } from '../../src/core/options.ts';
import { CLOSE, closeFor, returnOf } from '../../src/protocol/close-codes.ts';
import { ERROR_STATUS, type ErrorCode, isRetryable } from '../../src/protocol/errors.ts';
import { BOUNDS } from '../../src/protocol/frames.ts';
import { OLD_SEND_TYPES } from '../../src/protocol/old-names.ts';
import type { ReasonCode } from '../../src/protocol/reasons.ts';
import { burstNotice, cleanedUpNotice, drainingNotice, evictingNotice, limitNearNotice, queueNotice } from '../../src/protocol/texts.ts';
import { memoryStore } from '../../src/stores/memory.ts';
import { startGateway } from '../support/gateway.ts';

const root = new URL('../../', import.meta.url);
const page = readFileSync(new URL('PROTOCOL.md', root), 'utf8');
const source = (file: string): string => readFileSync(new URL(`src/protocol/${file}`, root), 'utf8');

/** The rows of every table whose first header cell is `header`, cells without the pipes. */
function rowsUnder(header: string): string[][] {
  const rows: string[][] = [];
  let inside = false;
  for (const line of page.split('\n')) {
    if (!line.startsWith('|')) inside = false;
    else {
      const cells = line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim());
      if (cells[0] === header) inside = true;
      else if (inside && !/^-+$/.test(cells[0] as string)) rows.push(cells);
    }
  }
  expect(rows.length, `rows under "${header}"`).toBeGreaterThan(0);
  return rows;
}
const bare = (cell: string): string => cell.replaceAll('`', '');
const names = (cell: string): string[] => [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1] as string);

/** Fields of an interface as they are declared, `?` behind optional ones; those of what it extends included. */
function fieldsOf(text: string, name: string): string[] {
  const match = new RegExp(`(?:export )?interface ${name}(?: extends (\\w+))? \\{\\n([\\s\\S]*?)\\n\\}`).exec(text);
  if (match === null) throw new Error(`Expected an interface ${name}.`);
  const own = [...(match[2] as string).matchAll(/^ {2}readonly (\w+)(\??):/gm)].map((field) => `${field[1]}${field[2]}`);
  const base = match[1] === undefined || match[1] === 'Common' ? [] : fieldsOf(source('messages.ts'), match[1]);
  return [...own, ...base];
}

/** Members of a union type, and the wire name of each. */
function union(text: string, name: string): Map<string, string[]> {
  const members = new RegExp(`export type ${name} =([^;]+);`).exec(text)?.[1]?.match(/\w+/g) ?? [];
  return new Map(
    members.map((member) => {
      const type = new RegExp(`interface ${member}(?: extends \\w+)? \\{\\n {2}readonly type: '([^']+)'`).exec(text)?.[1];
      if (type === undefined) throw new Error(`Expected ${member} to name its type first.`);
      return [type, fieldsOf(text, member).filter((field) => field !== 'type')];
    }),
  );
}

describe('PROTOCOL.md and the code say the same', () => {
  test.each([
    ['client', 'ClientFrame'],
    ['gateway', 'ServerFrame'],
  ])('frames of a %s: each of them, with its fields in wire order', (sender, type) => {
    const written = new Map(
      rowsUnder('frame')
        .filter((row) => row[1] === sender)
        .map((row) => [bare(row[0] as string), names(row[2] as string)]),
    );
    expect(Object.fromEntries(written)).toEqual(Object.fromEntries(union(source('frames.ts'), type)));
  });

  test('close codes: code, name and text', () => {
    const written = rowsUnder('code').filter((row) => /^4\d{3}$/.test(row[0] as string));
    expect(written.map(([code, name, text]) => ({ code: Number(code), name: bare(name as string), text }))).toEqual(Object.values(CLOSE));
  });

  test('ranges and what a client does at them', () => {
    for (const [range, back] of rowsUnder('range')) expect(returnOf(Number((range as string).replace('xx', '77')))).toBe(bare(back as string));
    for (const code of [1001, 1006, 1011, 1012]) expect(returnOf(code)).toBe('now');
    expect(returnOf(1013)).toBe('after');
    for (const code of [1002, 1003, 1007, 1008, 1009]) expect(returnOf(code)).toBe('never');
  });

  test('reason codes and their close codes', () => {
    const written = new Map(rowsUnder('reason code').flatMap((row) => names(row[0] as string).map((reason) => [reason, Number(row[1])] as const)));
    for (const [reason, code] of written) expect(`${reason} ${closeFor(reason as ReasonCode).code}`).toBe(`${reason} ${code}`);
    const cases = [...source('close-codes.ts').matchAll(/case '([a-z-]+)':/g)].map((match) => match[1] as string);
    expect(cases.filter((reason) => !written.has(reason) && closeFor(reason as ReasonCode) !== CLOSE.reconnect)).toEqual([]);
  });

  test('error codes: status and whether to try again', () => {
    const written = rowsUnder('code').filter((row) => /^\d{3}$/.test(row[1] as string));
    expect(written.map(([code, status, retryable]) => [bare(code as string), Number(status), retryable === 'yes'])).toEqual(
      Object.entries(ERROR_STATUS).map(([code, status]) => [code, status, isRetryable(code as ErrorCode)]),
    );
  });

  test('bounds', () => {
    expect(Object.fromEntries(rowsUnder('bound').map(([name, number]) => [names(name as string)[0], Number(number)]))).toEqual(BOUNDS);
  });

  test('defaults of options', () => {
    for (const [key, value] of rowsUnder('option')) expect(`${key} ${OPTIONS[bare(key as string) as OptionKey]?.default}`).toBe(`${key} ${value}`);
  });

  test('every option that the page speaks of exists', () => {
    const known = new Set(Object.keys(OPTIONS));
    const prefixes = new Set(Object.keys(OPTIONS).map((key) => key.split('.')[0]));
    const objects = ['ack', 'max', 'auth', 'limits', 'queue'];
    const spoken = names(page.replace(/```[\s\S]*?```/g, '')).filter(
      (name) => /^[a-z]+(\.[a-zA-Z0-9]+)+$/.test(name) && prefixes.has(name.split('.')[0]) && !objects.includes(name.split('.')[0] as string),
    );
    expect(spoken.filter((name) => !known.has(name))).toEqual([]);
  });

  test('agent events: each of them, with its fields', () => {
    const written = Object.fromEntries(rowsUnder('type').map(([type, fields]) => [bare(type as string), names(fields as string).sort()]));
    const declared = Object.fromEntries([...union(source('agent-events.ts'), 'AgentEvent')].map(([type, fields]) => [type, fields.sort()]));
    expect(written).toEqual(declared);
    const logged = Object.fromEntries(
      [...FIELDS].map(([type, fields]) => [
        type,
        fields
          .filter((f) => f.name !== 'run_id')
          .map((f) => (f.required ? f.name : `${f.name}?`))
          .sort(),
      ]),
    );
    expect(logged).toEqual(declared);
  });

  test('older names of producers', () => {
    const written = Object.fromEntries(rowsUnder('field or type').map(([name, older]) => [bare(name as string), names(older as string).sort()]));
    const known: [string, string][] = [...TYPE_ALIASES].map(([other, type]) => [type, other]);
    for (const fields of FIELDS.values()) for (const { name, from } of fields) for (const other of from.slice(1)) known.push([name, other]);
    const olderOf = (name: string): string[] => [...new Set(known.filter(([of]) => of === name).map(([, other]) => other))].sort();
    expect(written).toEqual(Object.fromEntries(known.map(([name]) => [name, olderOf(name)])));
  });

  test('older names of clients', () => {
    expect(page).toContain(
      `${OLD_SEND_TYPES.slice(0, -1)
        .map((type) => `\`${type}\``)
        .join(', ')} and \`${OLD_SEND_TYPES.at(-1)}\``,
    );
  });

  test('notices and their data', () => {
    const made = [
      limitNearNotice({ used: 1, limit: 2 }),
      burstNotice({ used: 1, limit: 2, burst: 3, untilAt: 4, leftMs: 5 }),
      queueNotice({ waiting: 1, etaMs: 2, untilAt: 3 }),
      cleanedUpNotice({ freed: 1, level: 'force', durationMs: 2, reasons: {} }),
      evictingNotice({ level: 'force', reason: 'lowest-value', graceMs: 1, label: null }),
      drainingNotice({ slotMs: 1, reason: 'x' }),
    ];
    expect(rowsUnder('notice').map(([kind, , data]) => [bare(kind as string), names(data as string)])).toEqual(
      made.map((notice) => [notice.kind, Object.keys(notice.data)]),
    );
    const kinds = /export type NoticeKind = ([^;]+);/.exec(source('messages.ts'))?.[1]?.match(/[a-z-]+/g) ?? [];
    expect(made.map((notice) => notice.kind)).toEqual(kinds);
  });

  test('ids have the form that is written', () => {
    const forms = Object.fromEntries(rowsUnder('name').map(([name, form]) => [name as string, names(form as string)]));
    expect(source('ids.ts')).toContain(`/^${forms.thread?.[0]}$/`);
    expect(source('ids.ts')).toContain(`/^${forms.epoch?.[0]}$/`);
  });

  test('HTTP paths: each of them, and no other', async () => {
    const store = memoryStore();
    const accounts = createAccounts({
      users: [],
      signingKey: new Uint8Array(32),
      store: store.credentials,
      tokenTtlMs: 60_000,
      refreshTtlMs: 60_000,
      loginsPerMinute: 10,
    });
    await using gw = await startGateway({ accounts, store });
    const { paths } = (await (await gw.request('GET', '/openapi.json')).json()) as { paths: Record<string, object> };
    const served = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replace('{id}', ':id')}`),
    );
    const written = rowsUnder('request')
      .flatMap((row) => names(row[0] as string).filter((name) => /^[A-Z]+ \//.test(name)))
      .map((name) => name.replace(/\?.*/, ''));
    expect(written.sort()).toEqual(served.sort());
  });

  test('every link inside the page leads somewhere', () => {
    const anchors = new Set(
      [...page.matchAll(/^#+ (.+)$/gm)].map((match) =>
        (match[1] as string)
          .toLowerCase()
          .replace(/[^\w\s-]/g, '')
          .replace(/\s/g, '-'),
      ),
    );
    for (const [, link] of page.matchAll(/\]\(#([^)]+)\)/g)) expect(anchors).toContain(link);
  });
});
