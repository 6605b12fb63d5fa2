import { coloured, dim } from './style.ts';
import { paintState } from './words.ts';

export const FORMATS = ['text', 'json', 'nagios', 'prometheus'] as const;
export type CheckFormat = (typeof FORMATS)[number];
export type CheckState = 'ok' | 'warning' | 'critical' | 'unknown';

/** One figure that a check looked at. */
export interface CheckValue {
  /** In words with underlines; its unit stands at the end where it has one. */
  readonly name: string;
  readonly value: number;
  /** As Nagios spells it: `s` or nothing. */
  readonly unit: '' | 's';
  /** From where on it is one; absent: never. */
  readonly warning?: number;
  readonly critical?: number;
}

export interface CheckResult {
  readonly check: string;
  readonly state: CheckState;
  readonly message: string;
  readonly values: readonly CheckValue[];
}

const CODES = { ok: 0, warning: 1, critical: 2, unknown: 3 } as const;

export function formatted(result: CheckResult, format: CheckFormat): string {
  return { text, json, nagios, prometheus }[format](result);
}

const text = ({ check, state, message }: CheckResult): string =>
  `${state === 'unknown' ? coloured('purple', 'UNKNOWN') : paintState(state.toUpperCase(), state)}  ${check}  ${dim('·')} ${message}`;

const json = (result: CheckResult): string => JSON.stringify({ ...result, code: CODES[result.state] }, null, 2);

/** One line: what is wrong, then the figures for graphs. A bar would begin the figures. */
function nagios({ check, state, message, values }: CheckResult): string {
  const figures = values.map(({ name, value, unit, warning, critical }) => `${name}=${round(value)}${unit};${warning ?? ''};${critical ?? ''}`);
  return `SPILLWAY ${check.toUpperCase()} ${state.toUpperCase()} - ${message.replaceAll('|', '/')}${figures.length === 0 ? '' : ` | ${figures.join(' ')}`}`;
}

/** For the text file collector of node_exporter. */
function prometheus({ check, state, values }: CheckResult): string {
  const lines = [
    '# HELP spillway_check_state 0 good, 1 warning, 2 critical, 3 unknown.',
    '# TYPE spillway_check_state gauge',
    `spillway_check_state{check="${check}"} ${CODES[state]}`,
  ];
  if (values.length === 0) return lines.join('\n');
  return [
    ...lines,
    '# HELP spillway_check_value A figure that a check looked at; seconds where its name says so.',
    '# TYPE spillway_check_value gauge',
    ...values.map(({ name, unit, value }) => `spillway_check_value{check="${check}",name="${name}${unit === 's' ? '_seconds' : ''}"} ${round(value)}`),
  ].join('\n');
}

const round = (value: number): number => Math.round(value * 1_000) / 1_000;
