/** Figures and times as people read them. */

const WHOLE = new Intl.NumberFormat('en');
const DAY_MS = 86_400_000;

/** What stands where nothing was measured. */
export const NOTHING = '–';

export const whole = (value: number | null | undefined): string => (value == null ? NOTHING : WHOLE.format(value));

/** Short where it is big: 0.25 · 10.5 · 1,234 · 12.3k · 1.2M. */
export function brief(value: number | null | undefined): string {
  if (value == null) return NOTHING;
  if (Math.abs(value) < 100) return String(Number(value.toFixed(value < 1 ? 2 : 1)));
  if (Math.abs(value) < 10_000) return WHOLE.format(Math.round(value));
  return Math.abs(value) < 1_000_000 ? `${(value / 1_000).toFixed(1)}k` : `${(value / 1_000_000).toFixed(1)}M`;
}

/** A measured duration: 0.4 ms · 38 ms · 1.9 s. */
export function milliseconds(ms: number | null | undefined): string {
  if (ms == null) return NOTHING;
  if (ms < 10) return `${ms < 0.1 && ms > 0 ? '<0.1' : Number(ms.toFixed(1))} ms`;
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(ms < 10_000 ? 2 : 1)} s`;
}

/** How long something is ago, as the gateway's own sentences spell it: `9.2s`, `37m58s`, `2h05m`, `3d4h`. Never rounded up. */
export function age(ms: number | null | undefined): string {
  if (ms == null) return NOTHING;
  const span = Math.max(0, ms);
  if (span < 60_000) return `${(Math.floor(span / 100) / 10).toFixed(1)}s`;
  const two = (value: number): string => String(Math.floor(value)).padStart(2, '0');
  if (span < 3_600_000) return `${Math.floor(span / 60_000)}m${two((span % 60_000) / 1_000)}s`;
  if (span < DAY_MS) return `${Math.floor(span / 3_600_000)}h${two((span % 3_600_000) / 60_000)}m`;
  return `${Math.floor(span / DAY_MS)}d${Math.floor((span % DAY_MS) / 3_600_000)}h`;
}

export function bytes(value: number | null | undefined): string {
  if (value == null) return NOTHING;
  if (value < 1_024) return `${value} B`;
  if (value < 1_048_576) return `${(value / 1_024).toFixed(1)} KiB`;
  return value < 1_073_741_824 ? `${Math.round(value / 1_048_576)} MiB` : `${(value / 1_073_741_824).toFixed(2)} GiB`;
}

export const percent = (share: number | null | undefined, digits = 0): string => (share == null ? NOTHING : `${(share * 100).toFixed(digits)} %`);

/** A share that must be near one: never rounded up to 100 %. */
export function availability(share: number | null): string {
  if (share === null) return NOTHING;
  return share >= 1 ? '100 %' : `${(Math.floor(share * 100_000) / 1_000).toFixed(3).replace(/0$/, '')} %`;
}

const two = (value: number, digits = 2): string => String(value).padStart(digits, '0');

/** 14:02:31 of this browser's day. */
export function clock(at: number): string {
  const date = new Date(at);
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** 14:02:31.204, with the day in front if it is another one. */
export function exactTime(at: number): string {
  const date = new Date(at);
  const day = Math.abs(Date.now() - at) < DAY_MS / 2 ? '' : `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} `;
  return `${day}${clock(at)}.${two(date.getMilliseconds(), 3)}`;
}

/** The beginning of a long id, enough to tell it from its neighbours. */
export const shortId = (id: string): string => (id.length > 14 ? `${id.slice(0, 12)}…` : id);

/** "1 change", "12 changes". */
export const plural = (count: number, one: string, many = `${one}s`): string => `${whole(count)} ${count === 1 ? one : many}`;
