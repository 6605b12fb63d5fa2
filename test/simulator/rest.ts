import type { World } from './world.ts';

/** I12 and the end of I13: when nothing is under way, registry, user index, seats of the store, sockets and pages tell the same. */
export async function checkAtRest(world: World): Promise<void> {
  const { factory, store, clock } = world;
  for (const user of world.users) {
    const held = factory.list(user.id).map((m) => `${m.id} ${m.seat?.token}`);
    const indexed = [...factory.all()].filter((m) => m.user.userId === user.id).map((m) => `${m.id} ${m.seat?.token}`);
    const seats = (await store.peek(user.id)).map((s) => `${s.manager} ${s.token}`);
    if (held.sort().join() !== seats.sort().join())
      world.violated('I12', `${user.id}: managers ${held.join(', ') || 'none'}; seats ${seats.join(', ') || 'none'}`);
    if (held.join() !== indexed.sort().join()) world.violated('I12', `${user.id}: by user ${held.join(', ')}; of all ${indexed.join(', ')}`);
  }

  const status = factory.getFactoryStatus();
  let counted = 0;
  for (const socket of world.sockets) if (socket.isCounted) counted++;
  if (status.sockets !== counted) world.violated('I12', `the factory counts ${status.sockets} sockets; ${counted} are open`);

  for (const page of world.clients()) {
    if (page.state !== 'ready' || !page.isWell(1_000) || page.connection?.isEnded === true) continue;
    const manager = world.managerOf(page);
    if (manager === null) {
      world.violated('I12', `${page.name} is ready as ${page.manager}, and the factory has no such manager on its connection`);
      continue;
    }
    const { user, thread } = page.traits;
    const head = store.loggedIn({ user, thread }).size;
    const at = page.reader.position?.offset ?? 0;
    // A slow page on a narrow path is still reading.
    if (at !== head && clock.now - Math.max(page.reader.appliedAt, page.readyAt) > 1_500)
      world.violated('I13', `${page.name} stands at ${at} of ${head} though nothing has happened for a while`);
  }

  for (const producer of world.producers) {
    const { id: user, thread } = producer.plan;
    const logged = store.loggedIn({ user, thread });
    for (const [mark, offset] of producer.confirmed) {
      if (!logged.get(offset)?.includes(`~${mark};`))
        world.violated('I13', `event ${mark} of ${user} was confirmed as ${offset}, and the log has ${logged.get(offset) ?? 'nothing'} there`);
    }
  }
}
