// Provable clients in a process of their own, so that signals can stop or kill it. Is told what to do, and says what happens, in JSON
// lines that name a client by its number. On `return` a client connects again, as when its person uses it.
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { ProvableClient } from './provable-client.ts';

interface Told {
  readonly client: number;
  readonly open?: { readonly url: string; readonly token: string; readonly thread: string };
  readonly return?: true;
}
interface Life {
  readonly as: NonNullable<Told['open']>;
  client: ProvableClient;
}

const lives = new Map<number, Life>();

async function live(number: number, as: Life['as'], resume?: Parameters<typeof ProvableClient.open>[1]['resume']): Promise<void> {
  const say = (line: object): void => void process.stdout.write(`${JSON.stringify({ client: number, ...line })}\n`);
  try {
    const client = await ProvableClient.open(as.url, { ...as, label: as.thread, ...(resume === undefined ? {} : { resume }) });
    lives.set(number, { as, client });
    const { manager, ready, seatedAfterMs, applied, wire } = client;
    say({ seated: manager, port: wire.localPort, how: ready.resume, seat: ready.seat, afterMs: seatedAfterMs, applied });
    void wire.closed.then(({ code }) => say({ closed: code, applied: client.applied }));
  } catch (error) {
    say({ failed: String(error) });
  }
}

const commands = createInterface(process.stdin);
commands.on('line', (line) => {
  const told = JSON.parse(line) as Told;
  if (told.open) void live(told.client, told.open);
  const life = lives.get(told.client);
  if (!told.return || !life) return;
  const { manager, epoch, applied, bye, ready } = life.client;
  void live(told.client, life.as, { manager, token: bye?.resumeToken ?? ready.resumeToken, epoch, offset: applied });
});
// Whoever started it is gone.
await once(commands, 'close');
process.exit(0);
