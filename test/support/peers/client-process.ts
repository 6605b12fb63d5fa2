// A provable client in a process of its own, so that signals can stop or kill it. Arguments: address, token, thread, label.
// Says what happens to it in JSON lines; on the line `return` it connects again, as when its person uses it.
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { ProvableClient } from './provable-client.ts';

const [url, token, thread, label] = process.argv.slice(2) as [string, string, string, string];
const say = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

let client = await ProvableClient.open(url, { token, thread, label });
const follow = (): void => {
  const mine = client;
  say({ seated: mine.manager, how: mine.ready.resume, seat: mine.ready.seat, afterMs: mine.seatedAfterMs, applied: mine.applied });
  void mine.wire.closed.then(({ code }) => say({ closed: code, applied: mine.applied }));
};
follow();

const commands = createInterface(process.stdin);
commands.on('line', (line) => {
  if (line !== 'return') return;
  const { manager, epoch, applied, bye, ready } = client;
  const resume = { manager, token: bye?.resumeToken ?? ready.resumeToken, epoch, offset: applied };
  ProvableClient.open(url, { token, thread, label, resume }).then(
    (again) => {
      client = again;
      follow();
    },
    (error: unknown) => say({ failed: String(error) }),
  );
});
// Whoever started it is gone.
await once(commands, 'close');
process.exit(0);
