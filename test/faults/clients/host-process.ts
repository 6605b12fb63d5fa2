// Recording clients in a process of their own, so that signals can stop or kill it.
import type { Position } from '../../../src/client/index.ts';
import { Recorder } from '../../support/lossless/recorder.ts';
import { fileSink } from '../../support/lossless/sink.ts';
import { clientSettings } from './client-settings.ts';
import { faultySocket } from './faulty-socket.ts';
import type { HostCommand, HostSaid } from './host-messages.ts';
import { tellStalls } from './stalls.ts';

interface Life {
  readonly recorder: Recorder;
  isMute: boolean;
  socket: WebSocket | null;
  chatter: NodeJS.Timeout | undefined;
}

const say = (said: HostSaid): void => {
  // Whoever started it may be gone.
  if (process.connected) process.send?.(said);
};
process.once('disconnect', () => process.exit(0));
tellStalls((stall) => say({ client: -1, is: 'stall', stall }));

const lives = new Map<number, Life>();

function open({ client, url, token, thread, file, divisor, measures }: Extract<HostCommand, { do: 'open' }>): void {
  let life: Life | null = null;
  const sink = fileSink(file);
  const from = (sink.saved.position ?? 'start') as 'start' | Position;
  const recorder = new Recorder({
    url,
    tokens: [token],
    thread,
    sink,
    label: thread,
    settings: clientSettings(divisor),
    webSocket: faultySocket(
      () => life?.isMute ?? false,
      (socket) => {
        if (life !== null) life.socket = socket;
      },
    ),
    onProgress: (progress) => say({ client, is: 'progress', progress }),
  });
  life = { recorder, isMute: false, socket: null, chatter: undefined };
  lives.set(client, life);
  if (!measures) return;
  // From the same position, so that both share one subscription and its acknowledgements.
  recorder.client.thread(thread).on(
    (event) => {
      // The agent's own clock, which is this machine's.
      if (!event.replay && 'timestamp' in event.data) say({ client, is: 'late', ms: Math.max(0, Date.now() - Date.parse(String(event.data.timestamp))) });
    },
    { from },
  );
}

process.on('message', (command: HostCommand) => {
  if (command.do === 'open') open(command);
  const life = lives.get(command.client);
  if (life === undefined) return;
  if (command.do === 'stick') {
    if (command.on) life.recorder.stick();
    else life.recorder.goOn();
  } else if (command.do === 'mute') life.isMute = command.on;
  else if (command.do === 'chatter') {
    clearInterval(life.chatter);
    let n = 1_000_000;
    if (command.everyMs > 0)
      life.chatter = setInterval(() => {
        if (life.socket?.readyState === WebSocket.OPEN) life.socket.send(JSON.stringify({ type: 'check', n: ++n }));
      }, command.everyMs);
  } else if (command.do === 'close') {
    clearInterval(life.chatter);
    void life.recorder.close().then(() => say({ client: command.client, is: 'closed' }));
  }
});
