import { describe, expect, test } from 'vitest';
import type { OptionKey } from '../core/options.ts';
import { resolveOptions, resolveServerOptions } from '../core/resolve-options.ts';
import { configurationInCode, configurationOf } from './configuration.ts';

describe('the configuration as operators see it', () => {
  test('names every option with its source, and of secrets only whether they are set', () => {
    const values = new Map<OptionKey, unknown>([
      ['admin.token', 'a-key-of-the-operators'],
      ['limits.perUser', '7'],
    ]);
    const entries = configurationOf(resolveServerOptions([{ source: 'environment', values, asText: true }]));
    const of = (key: string) => entries.find((entry) => entry.key === key);
    expect(of('limits.perUser')).toMatchObject({ value: 7, source: 'environment', does: expect.stringMatching(/\w/) });
    expect(of('admin.token')).toMatchObject({ value: '[secret]', source: 'environment' });
    expect(of('auth.jwtSecret')).toMatchObject({ value: null, source: 'default' });
    expect(JSON.stringify(entries)).not.toContain('a-key-of-the-operators');
  });

  test('of a gateway in code holds what the library takes', () => {
    const given = { limits: { perUser: 3 } };
    const entries = configurationInCode(resolveOptions(given), given);
    expect(entries.find(({ key }) => key === 'limits.perUser')).toMatchObject({ value: 3, source: 'code' });
    expect(entries.find(({ key }) => key === 'limits.perNode')).toMatchObject({ source: 'default' });
    expect(entries.some(({ key }) => key.startsWith('admin.'))).toBe(false);
  });
});
