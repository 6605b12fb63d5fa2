// Recording clients in a process of their own, so that signals can stop or kill it. Is told what to do, and says what happens, in JSON
// lines that name a client. Ends when whoever started it is gone.
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileDrawer } from './drawer.ts';
import { type Happening, isReached, type Reached, Recorder, type RecorderOptions } from './recorder.ts';
import { fileSink } from './sink.ts';

export interface OpenOptions extends Pick<RecorderOptions, 'url' | 'tokens' | 'thread' | 'from' | 'label' | 'careless'> {
  /** Its lines; a file that is there already makes this a new life. */
  readonly file: string;
  /** What outlives it as a tab's `sessionStorage` does. Left out: nothing, so that each life is a new manager. */
  readonly drawer?: string;
}

export type Told = { readonly client: string } & (
  | { readonly do: 'open'; readonly with: OpenOptions }
  | { readonly do: 'send'; readonly text: string; readonly id?: string }
  /** Its person comes back. */
  | { readonly do: 'resume' }
  /** Its listener does not settle any more, or does again. */
  | { readonly do: 'cancel' }
  | { readonly do: 'stick' }
  | { readonly do: 'go-on' }
  /** Its thread computes, and with it all of this process. */
  | { readonly do: 'freeze'; readonly ms: number }
  | { readonly do: 'close' }
  /** Say when it has applied, or acknowledged, this number. */
  | { readonly do: 'watch'; readonly id: number; readonly is: Reached['is']; readonly number: number }
);

export type Says =
  | { readonly client: string; readonly progress: Happening }
  | { readonly client: string; readonly reached: number }
  | { readonly client: string; readonly closed: true };

type Watch = Extract<Told, { readonly do: 'watch' }>;

interface Kept {
  readonly recorder: Recorder;
  readonly reached: { applied: number; acked: number };
  readonly watches: Set<Watch>;
}

const clients = new Map<string, Kept>();
const say = (says: Says): void => void process.stdout.write(`${JSON.stringify(says)}\n`);

function look(client: string, { reached, watches }: Kept): void {
  for (const watch of watches) if (reached[watch.is] >= watch.number && watches.delete(watch)) say({ client, reached: watch.id });
}

function open(client: string, { file, drawer, ...options }: OpenOptions): void {
  const reached = { applied: 0, acked: 0 };
  const recorder = new Recorder({
    ...options,
    sink: fileSink(file, options.careless === undefined ? 'applied' : 'ack'),
    ...(drawer === undefined ? {} : { drawer: fileDrawer(drawer) }),
    onProgress: (progress) => {
      if (!isReached(progress)) say({ client, progress });
      else {
        reached[progress.is] = progress.number;
        const kept = clients.get(client);
        if (kept) look(client, kept);
      }
    },
  });
  clients.set(client, { recorder, reached, watches: new Set() });
}

function obey(told: Told): void {
  if (told.do === 'open') {
    open(told.client, told.with);
    return;
  }
  const kept = clients.get(told.client);
  if (kept === undefined) return;
  const { recorder } = kept;
  if (told.do === 'send') recorder.send(told.text, told.id);
  // What comes of it is in its states.
  else if (told.do === 'resume') recorder.client.resume().catch(() => {});
  else if (told.do === 'cancel') recorder.cancel();
  else if (told.do === 'stick') recorder.stick();
  else if (told.do === 'go-on') recorder.goOn();
  else if (told.do === 'freeze') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, told.ms);
  else if (told.do === 'close') void recorder.close().then(() => say({ client: told.client, closed: true }));
  else {
    kept.watches.add(told);
    look(told.client, kept);
  }
}

const commands = createInterface(process.stdin);
commands.on('line', (line) => obey(JSON.parse(line) as Told));
await once(commands, 'close');
process.exit(0);
