import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SpillwayError } from '../protocol/errors.ts';
import { environmentOf, flagOf, OPTION_KEYS } from './option-names.ts';
import { OPTIONS, type OptionKey, type PartialOptions } from './options.ts';
import { flattenOptions, resolveOptions, resolveServerOptions } from './resolve-options.ts';

const wrong = (input: unknown): string => {
  try {
    resolveOptions(input as PartialOptions);
  } catch (error) {
    expect(SpillwayError.is(error) && error.code).toBe('SPILLWAY_BAD_OPTION');
    return (error as Error).message;
  }
  return 'nothing was wrong';
};

describe('resolveOptions', () => {
  it('gives every option of the library its default, nested and frozen', () => {
    const options = resolveOptions();
    expect(options.limits.perUser).toBe(20);
    expect(options.limits.burst).toEqual({ perUser: 25, forMs: 60_000, coolDownMs: 900_000, debtMaxMs: 600_000 });
    expect(options).not.toHaveProperty('listen');
    expect(() => Object.assign(options.limits.burst, { perUser: 1 })).toThrow(TypeError);
    expect(() => Object.assign(options.tiers.free as object, { weight: 9 })).toThrow(TypeError);
  });

  it('takes the fast times under `timing: fast`, but not for what was given', () => {
    const { health } = resolveOptions({ timing: 'fast', health: { pingEveryMs: 700 } });
    expect(health.pingEveryMs).toBe(700);
    expect(health.transportDeadMs).toBe(2_500);
    expect(health.stallGapMs).toBe(100);
  });

  it('raises the burst with a soft limit that outgrew it, unless a burst was given', () => {
    expect(resolveOptions({ limits: { perUser: 4 } }).limits.burst.perUser).toBe(25);
    expect(resolveOptions({ limits: { perUser: 100 } }).limits.burst.perUser).toBe(125);
    expect(wrong({ limits: { perUser: 30, burst: { perUser: 25 } } })).toBe('Expected `limits.burst.perUser` to be at least `limits.perUser` (30), got `25`');
  });

  it('says what was expected, what came and what helps', () => {
    expect(wrong({ limits: { perUser: 0 } })).toBe('Expected `limits.perUser` to be a whole number from 1, got `0` (number)');
    expect(wrong({ limits: { perUser: '20' } })).toBe('Expected `limits.perUser` to be a whole number from 1, got `20` (text)');
    expect(wrong({ limits: { perUsr: 20 } })).toBe('Unknown option `limits.perUsr`; did you mean `limits.perUser`?');
    expect(wrong({ limts: {} })).toContain('Unknown option `limts`');
    expect(wrong({ timing: 'quick' })).toBe('Expected `timing` to be one of `default`, `fast`, got `quick` (text)');
    expect(wrong({ limits: 3 })).toBe('Expected `limits` to be an object of options, got `3` (number)');
    expect(wrong({ listen: ':1' })).toBe('`listen` is an option of the `spillway` program, not of the library');
    expect(wrong({ lease: { ttlMs: 15_000 } })).toBe('Expected `lease.ttlMs` to be more than 2 times `lease.renewMs` (10000, its default), got `15000`');
  });

  it('puts all problems into one error', () => {
    const message = wrong({ limits: { perUser: -1, perNod: 3 }, cleanup: { watchOn: 2 } });
    expect(message.split('\n')).toHaveLength(4);
    expect(message).toMatch(/^3 options are wrong:\n- Unknown option `limits.perNod`/);
  });

  it('leaves alone what the caller reads itself, and what is undefined', () => {
    const given = { agent: () => {}, authenticate: () => null, limits: { perUser: undefined } };
    expect(resolveOptions(given as unknown as PartialOptions, ['agent', 'authenticate']).limits.perUser).toBe(20);
  });

  it('adds a tier to the known ones', () => {
    const { tiers } = resolveOptions({ tiers: { gold: { weight: 3, protected: true } } });
    expect(tiers.gold).toEqual({ weight: 3, protected: true });
    expect(tiers.enterprise?.weight).toBe(8);
    expect(wrong({ tiers: { gold: { wait: 3 } } })).toMatch(/^Expected `tiers` to be tiers by name/);
  });

  it('never throws anything but its own error, whatever comes', () => {
    fc.assert(
      fc.property(
        fc.record({ limits: fc.anything(), health: fc.object({ key: fc.constantFrom('pingEveryMs', 'x') }), [`__proto__`]: fc.anything() }),
        (input) => {
          try {
            resolveOptions(input as PartialOptions);
          } catch (error) {
            expect(SpillwayError.is(error)).toBe(true);
          }
        },
      ),
    );
  });
});

describe('resolveServerOptions', () => {
  const layer = (source: string, values: Partial<Record<OptionKey, unknown>>, asText: boolean) => ({
    source,
    values: new Map(Object.entries(values)) as Map<OptionKey, unknown>,
    asText,
  });

  it('lets the stronger layer win and says where each value came from', () => {
    const { options, sources } = resolveServerOptions([
      layer('flag', { listen: ':9000' }, true),
      layer('environment', { listen: ':9001', 'limits.perUser': '7', 'pages.chat': 'false', 'auth.origins': 'https://a.example, https://b.example' }, true),
      layer('spillway.yaml', { 'limits.perUser': 8, 'queue.waitMs': '3s' }, false),
    ]);
    expect([options.listen, options.limits.perUser, options.queue.waitMs, options.pages.chat]).toEqual([':9000', 7, 3_000, false]);
    expect(options.auth.origins).toEqual(['https://a.example', 'https://b.example']);
    expect([sources.listen, sources['limits.perUser'], sources['queue.waitMs'], sources.store]).toEqual(['flag', 'environment', 'spillway.yaml', 'default']);
  });

  it.each([
    ['resume.windowMs', '60s', 60_000],
    ['resume.windowMs', '2min', 120_000],
    ['resume.windowMs', '1.5h', 5_400_000],
    ['resume.windowMs', '1500', 1_500],
    ['window.maxBytes', '1MiB', 1_048_576],
    ['window.maxBytes', '64kB', 64_000],
    ['cleanup.proactiveAt', '0.5,0.9', [0.5, 0.9]],
    ['tiers', '{"vip":{"weight":2}}', expect.objectContaining({ vip: { weight: 2, protected: false } })],
  ] as const)('reads %s from the text %s', (key, text, expected) => {
    const { options } = resolveServerOptions([layer('flag', { [key]: text }, true)]);
    expect(key.split('.').reduce<unknown>((node, part) => (node as Record<string, unknown>)[part], options)).toEqual(expected);
  });

  it.each([
    ['resume.windowMs', '60 parsecs'],
    ['resume.windowMs', ''],
    ['limits.perUser', '5s'],
    ['window.maxBytes', '1s'],
    ['pages.chat', 'yes'],
    ['cleanup.watchOn', 'most'],
    ['cleanup.proactiveAt', '0.9,0.5'],
    ['tiers', 'vip'],
    ['listen', ''],
  ] as const)('refuses for %s the text %j', (key, text) => {
    expect(() => resolveServerOptions([layer('flag', { [key]: text }, true)])).toThrow(`Expected \`${key}\` to be`);
  });

  it('never repeats a secret', () => {
    const secret = layer('file', { 'auth.jwtSecret': ['hunter2hunter2'] }, false);
    expect(() => resolveServerOptions([secret])).toThrow(expect.objectContaining({ message: expect.not.stringContaining('hunter2') }));
  });
});

describe('names of options', () => {
  it('have three mechanical spellings, each of them one option only', () => {
    expect(flagOf('limits.burst.forMs')).toBe('--limits.burst.for-ms');
    expect(environmentOf('limits.burst.forMs')).toBe('SPILLWAY_LIMITS_BURST_FOR_MS');
    expect(new Set(OPTION_KEYS.map(environmentOf)).size).toBe(OPTION_KEYS.length);
    expect(new Set(OPTION_KEYS.map(flagOf)).size).toBe(OPTION_KEYS.length);
  });

  it('cover the default of every option, which is itself allowed', () => {
    const nested = flattenOptions(JSON.parse(JSON.stringify(resolveServerOptions([]).options)), 'server', []);
    for (const key of OPTION_KEYS) if (key !== 'tiers') expect(nested.get(key), key).toEqual(OPTIONS[key].default);
    expect(() => resolveServerOptions([{ source: 'file', values: nested, asText: false }])).not.toThrow();
  });
});
