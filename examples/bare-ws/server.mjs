// Seats without the gateway: any transport, here a bare `ws`. Connect to ws://127.0.0.1:8790/?user=ada; Enter cleans up and tells.
import { WebSocketManagerFactory, webSocketTransport } from 'spillway';
import { WebSocketServer } from 'ws';

const factory = new WebSocketManagerFactory({ limits: { perUser: 20 } });
const server = new WebSocketServer({ port: Number(process.env.PORT ?? 8790), host: '127.0.0.1' });
let count = 0;

async function welcome(socket, request) {
  const userId = new URL(request.url, 'ws://localhost').searchParams.get('user') ?? 'ada';
  const id = `client-${++count}`;
  const user = { userId, tier: 'free', threadId: id, requestId: id, websocketClientId: id };
  const transport = webSocketTransport(socket, { address: request.socket.remoteAddress, userAgent: '' });
  const admission = await factory.createManager(user, { transport });
  const end = admission.kind === 'queued' ? await admission.outcome : admission;
  if (end.kind === 'retry') socket.close(1013, `${end.reason};r=after;t=${end.retryAfterMs}`);
  else await end.manager.sendAiResponse(`Hello ${id}, your seat came ${end.how}.`);
}
server.on('connection', (socket, request) => {
  welcome(socket, request).catch(() => socket.close(1011));
});
server.on('listening', () => console.log(`listening on ${server.address().port}`));

for await (const _ of process.stdin) {
  const { levels } = await factory.planCleanup('ada', { need: 5 });
  for (const { level, evict } of levels) console.log(`${level} would close ${evict.length}`);
  const { victims } = await factory.cleanup('ada', { upTo: 'moderate', need: 5 });
  console.log(`closed ${victims.length}: ${victims.map(({ reason }) => reason).join(', ')}`);
  console.log(`status ${JSON.stringify(factory.getFactoryStatus())}`);
}
