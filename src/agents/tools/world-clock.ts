export interface ClockReading {
  /** IANA name, such as `Europe/Berlin`. */
  readonly zone: string;
  /** 24-hour clock, `14:05`. */
  readonly time: string;
  /** `Saturday, 21 November 2026`. */
  readonly date: string;
  /** `UTC+02:00`; `UTC` where it is none. */
  readonly offset: string;
  /** ISO 8601, UTC. */
  readonly instant: string;
}

/** Places whose zone bears another name. Every other city is found in the list of zones itself. */
const PLACES: Readonly<Record<string, string>> = {
  utc: 'UTC', gmt: 'UTC', greenwich: 'UTC', uk: 'Europe/London', england: 'Europe/London', france: 'Europe/Paris', spain: 'Europe/Madrid', italy: 'Europe/Rome',
  germany: 'Europe/Berlin', munich: 'Europe/Berlin', hamburg: 'Europe/Berlin', frankfurt: 'Europe/Berlin', geneva: 'Europe/Zurich', switzerland: 'Europe/Zurich',
  barcelona: 'Europe/Madrid', milan: 'Europe/Rome', kyiv: 'Europe/Kiev', japan: 'Asia/Tokyo', china: 'Asia/Shanghai', beijing: 'Asia/Shanghai', shenzhen: 'Asia/Shanghai',
  india: 'Asia/Kolkata', delhi: 'Asia/Kolkata', 'new delhi': 'Asia/Kolkata', mumbai: 'Asia/Kolkata', bangalore: 'Asia/Kolkata', korea: 'Asia/Seoul', 'tel aviv': 'Asia/Jerusalem',
  'san francisco': 'America/Los_Angeles', california: 'America/Los_Angeles', seattle: 'America/Los_Angeles', 'las vegas': 'America/Los_Angeles', boston: 'America/New_York',
  washington: 'America/New_York', miami: 'America/New_York', 'new york city': 'America/New_York', nyc: 'America/New_York', atlanta: 'America/New_York', texas: 'America/Chicago',
  austin: 'America/Chicago', dallas: 'America/Chicago', houston: 'America/Chicago', montreal: 'America/Toronto', rio: 'America/Sao_Paulo', 'rio de janeiro': 'America/Sao_Paulo',
  brazil: 'America/Sao_Paulo', 'cape town': 'Africa/Johannesburg', 'south africa': 'Africa/Johannesburg', canberra: 'Australia/Sydney',
}; // biome-ignore format: a table of places reads better as lines

let zonesByCity: ReadonlyMap<string, string> | null = null;

/** The zone of a city, country or IANA name as a person writes it, or null if none is known. */
export function findZone(place: string): string | null {
  const name = place.trim().normalize('NFD').replace(/\p{M}/gu, '').replace(/\s+/g, ' ').toLowerCase();
  zonesByCity ??= new Map(
    Intl.supportedValuesOf('timeZone').flatMap((zone) => [
      [cityOf(zone), zone],
      [zone.toLowerCase(), zone],
    ]),
  );
  return PLACES[name] ?? zonesByCity.get(name) ?? zonesByCity.get(name.replaceAll(' ', '_')) ?? null;
}

const cityOf = (zone: string): string => (zone.split('/').at(-1) as string).replaceAll('_', ' ').toLowerCase();

/** What a clock on the wall shows in `zone` (an IANA name). Throws a `RangeError` for a zone that does not exist. */
export function readClock(wallMs: number, zone = 'UTC'): ClockReading {
  const show = (options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat('en-GB', { timeZone: zone, ...options }).format(wallMs);
  const parts = new Intl.DateTimeFormat('en-GB', { timeZone: zone, timeZoneName: 'longOffset' }).formatToParts(wallMs);
  return {
    zone,
    time: show({ hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }),
    date: show({ weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' }),
    offset: (parts.find((part) => part.type === 'timeZoneName')?.value ?? 'GMT').replace('GMT', 'UTC').replace('+00:00', ''),
    instant: new Date(wallMs).toISOString(),
  };
}
