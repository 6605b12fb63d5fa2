/** Links that fail: cut, silenced, deaf in one direction, forgotten by the router between. */

import type { Make } from '../row.ts';
import { type Behind, type Namespace, namespace, namespaceBehindRouter } from './net-lab.ts';
import { owning, portOf, seatedIn, socketsOf, urlInside } from './net-subject.ts';

/** What happens to a namespace, and how it is undone. */
interface Failure<Place extends Namespace = Namespace> {
  readonly breaks: (place: Place) => Promise<unknown>;
  readonly heals: (place: Place) => Promise<unknown>;
}

const LINK_DOWN: Failure = {
  breaks: (place) => place.run('ip', 'link', 'set', 'eth0', 'down'),
  heals: (place) => place.run('ip', 'link', 'set', 'eth0', 'up'),
};

type Way = 'input' | 'output';

const dropping = (...ways: readonly Way[]): Failure => ({
  breaks: (place) =>
    place.run(
      'nft',
      ['add table inet fault', ...ways.map((way) => `add chain inet fault ${way} { type filter hook ${way} priority 0; policy drop; }`)].join('; '),
    ),
  heals: (place) => place.run('nft', 'delete table inet fault'),
});

/** The router's table loses the flow; what belongs to no entry goes nowhere, in either direction. */
const FORGOTTEN: Failure<Behind> = {
  async breaks({ runBetween }) {
    await runBetween(
      'nft',
      `add table ip fault
       add chain ip fault forward { type filter hook forward priority 0; policy accept; }
       add chain ip fault input { type filter hook input priority 0; policy drop; }
       add rule ip fault forward ct state { new, invalid } drop`,
    );
    await runBetween('conntrack', '-D', '-p', 'tcp');
  },
  heals: ({ runBetween }) => runBetween('nft', 'delete table ip fault'),
};

interface Ways {
  readonly isKilled?: boolean;
  /** Default true: no frame reaches the client any more. */
  readonly isSilenced?: boolean;
}

function failing<Place extends Namespace>(made: () => Promise<Place>, failure: Failure<Place>, { isKilled = false, isSilenced = !isKilled }: Ways = {}): Make {
  return (o) =>
    owning(async (cleanUp) => {
      const { target } = o;
      const place = cleanUp.use(await made());
      const port = portOf(target);
      await place.untilReached(port);
      return await seatedIn({
        o,
        cleanUp,
        url: urlInside(target),
        inside: place.inside,
        sockets: socketsOf(place, target),
        breaks: () => failure.breaks(place),
        heals: () => failure.heals(place),
        proof: async () => ((await place.reaches(port)) ? 'a fresh connection came about' : null),
        isKilled,
        isSilenced,
      });
    });
}

/** F03a. */
export const linkDown = failing(namespace, LINK_DOWN);
/** F03b. */
export const silentFirewall = failing(namespace, dropping('input', 'output'));
/** F03c. */
export const powerCut = failing(namespace, LINK_DOWN, { isKilled: true });
/** F04a: the gateway is heard, and hears nothing. What it has sent already comes late, so that the client's silence begins later. */
export const mute = failing(namespace, dropping('output'), { isSilenced: false });
/** F04b: the gateway hears, and is not heard. */
export const deaf = failing(namespace, dropping('input'));
/** F04c. */
export const forgottenFlow = failing(namespaceBehindRouter, FORGOTTEN);
