import { describe, expect, it } from 'vitest';
import { findZone, readClock } from './world-clock.ts';

describe('the clock', () => {
  const noon = Date.UTC(2026, 6, 1, 12, 0);
  it('shows the time of a zone, daylight saving included', () => {
    expect(readClock(noon, 'Europe/Berlin')).toEqual({
      zone: 'Europe/Berlin',
      time: '14:00',
      date: 'Wednesday, 1 July 2026',
      offset: 'UTC+02:00',
      instant: '2026-07-01T12:00:00.000Z',
    });
    expect(readClock(Date.UTC(2026, 0, 1, 0, 5), 'America/New_York')).toMatchObject({ time: '19:05', date: 'Wednesday, 31 December 2025' });
    expect(readClock(noon)).toMatchObject({ zone: 'UTC', time: '12:00', offset: 'UTC' });
  });
  it.each([
    ['Tokyo', 'Asia/Tokyo'],
    ['new york', 'America/New_York'],
    ['SÃO PAULO', 'America/Sao_Paulo'],
    ['San Francisco', 'America/Los_Angeles'],
    ['europe/berlin', 'Europe/Berlin'],
    ['gmt', 'UTC'],
  ])('finds %s', (place, zone) => expect(findZone(place)).toBe(zone));
  it('says so when it knows no such place', () => expect(findZone('Narnia')).toBeNull());
});
