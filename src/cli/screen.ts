const ENTER = '\x1b[?1049h\x1b[?25l';
const LEAVE = '\x1b[?25h\x1b[?1049l';
const HOME = '\x1b[H';
const CLEAR_LINE = '\x1b[K';
const CLEAR_BELOW = '\x1b[J';

const CTRL_C = '\u0003';

/** The whole terminal, until it is given back. */
export interface Screen extends Disposable {
  readonly rows: number;
  readonly columns: number;
  /** Shows these lines in place of those before; what does not fit is left out. */
  show(lines: readonly string[]): void;
}

/** Takes the terminal. `pressed` hears keys; Ctrl-C, SIGTERM and a lost terminal are `q`. However the program ends, the terminal is as it
 *  was before. */
export function openScreen(pressed: (key: string) => void, resized: () => void): Screen {
  const { stdin, stdout } = process;
  const hear = (data: Buffer): void => {
    for (const key of data.toString()) pressed(key === CTRL_C ? 'q' : key);
  };
  const quit = (): void => pressed('q');
  const leave = (): void => void stdout.write(LEAVE);
  stdin.setRawMode?.(true);
  stdin.on('data', hear);
  stdin.resume();
  stdout.on('resize', resized);
  process.on('exit', leave);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, quit);
  stdout.write(ENTER);
  return {
    get rows() {
      return stdout.rows || 24;
    },
    get columns() {
      return stdout.columns || 80;
    },
    show(lines) {
      const shown = lines.slice(0, this.rows - 1);
      stdout.write(`${HOME}${shown.map((line) => `${line}${CLEAR_LINE}`).join('\n')}\n${CLEAR_BELOW}`);
    },
    [Symbol.dispose]() {
      stdin.off('data', hear);
      stdin.setRawMode?.(false);
      stdin.pause();
      stdout.off('resize', resized);
      process.off('exit', leave);
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(signal, quit);
      leave();
    },
  };
}
