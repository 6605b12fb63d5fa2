/** A program in a real terminal: a pseudo terminal of the kernel, held by Python, which every Debian has. */

import { spawn } from 'node:child_process';
import { MAIN } from './cli.ts';

/** Runs argv[2:] in a terminal of argv[1] columns and 30 rows; what comes on our standard input is typed there. */
const HOLDER = `
import fcntl, os, pty, select, struct, sys, termios
pid, fd = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack('HHHH', 30, int(sys.argv[1]), 0, 0))
    os.execv(sys.argv[2], sys.argv[2:])
watched = [fd, 0]
while True:
    ready, _, _ = select.select(watched, [], [])
    if 0 in ready:
        typed = os.read(0, 1024)
        if typed: os.write(fd, typed)
        else: watched.remove(0)
    if fd in ready:
        try: shown = os.read(fd, 65536)
        except OSError: break
        if not shown: break
        os.write(1, shown)
_, status = os.waitpid(pid, 0)
sys.exit(os.waitstatus_to_exitcode(status) & 0xff)
`;

export interface Terminal extends AsyncDisposable {
  /** Everything shown so far, with the sequences that steer the terminal. */
  readonly shown: () => string;
  /** Waits until this was shown, at most 10 s. */
  until(pattern: RegExp): Promise<RegExpExecArray>;
  type(keys: string): void;
  /** Its exit status. */
  readonly ended: Promise<number | null>;
}

export interface TerminalOptions {
  readonly python: string;
  readonly cwd: string;
  /** Columns; default 120. */
  readonly columns?: number;
  readonly env?: Readonly<Record<string, string>>;
}

const WITHIN_MS = 10_000;

/** Runs `spillway` in a terminal. */
export function startInTerminal(args: readonly string[], { python, cwd, columns = 120, env = {} }: TerminalOptions): Terminal {
  const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(SPILLWAY_|NO_COLOR|FORCE_COLOR|CI$|PORT$)/.test(name)));
  const child = spawn(python, ['-c', HOLDER, String(columns), process.execPath, MAIN, ...args], {
    cwd,
    env: { ...clean, TERM: 'xterm-256color', ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let shown = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text;
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return {
    shown: () => shown,
    ended,
    type: (keys) => void child.stdin.write(keys),
    until(pattern) {
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`${pattern} was not shown within ${WITHIN_MS} ms, but:\n${shown}`)), WITHIN_MS);
        const look = (): void => {
          const match = pattern.exec(shown);
          if (match === null) return;
          clearTimeout(timer);
          child.stdout.off('data', look);
          resolve(match);
        };
        child.stdout.on('data', look);
        look();
      });
    },
    async [Symbol.asyncDispose]() {
      // Python ends with its terminal, and the program in it loses its terminal then.
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Runs `spillway` in a terminal to its end: what was shown, with line ends as programs write them. */
export async function runInTerminal(args: readonly string[], options: TerminalOptions): Promise<{ readonly code: number | null; readonly shown: string }> {
  await using terminal = startInTerminal(args, options);
  const code = await terminal.ended;
  return { code, shown: terminal.shown().replaceAll('\r\n', '\n') };
}

/** What was shown without colours. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences of colours begin with one.
export const withoutColours = (text: string): string => text.replace(/\x1b\[[\d;]*m/g, '');
