import type { ChildProcess } from 'node:child_process';

const alive = new Set<ChildProcess>();

process.once('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});

/** A process that is stopped does not see that whoever started it is gone: it is killed when this process ends. */
export function killedAtExit(child: ChildProcess): void {
  alive.add(child);
  child.once('exit', () => alive.delete(child));
}
