/** One thing that `doctor` looked at. */
export interface Finding {
  readonly check: string;
  readonly result: 'ok' | 'warning' | 'problem';
  readonly detail: string;
}

export const found = (check: string, result: Finding['result'], detail: string): Finding => ({ check, result, detail });
