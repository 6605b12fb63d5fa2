import { useEffect, useRef } from 'react';
import { useMedia } from '../../../chat/src/ui/media.ts';
import { useWelcome } from '../live/live-state.ts';
import { useTopic } from '../live/use-topic.ts';
import { href, type Route } from '../ui/route.ts';
import { isThere, SCREENS } from './screens.ts';

/** Where a thing belongs that has no entry of its own. */
const BELONGS: Readonly<Record<string, string>> = { managers: 'users' };

/** The screens, with the figures that ask to be looked at. */
export function Navigation({ route }: { route: Route }) {
  const welcome = useWelcome();
  const { data } = useTopic<'summary'>({ of: 'summary' }, { always: true });
  const counts: Readonly<Record<string, number | undefined>> = { queue: data?.summary.queue.length, alerts: data?.summary.alertsFiring };
  const current = BELONGS[route.screen] ?? route.screen;
  const place = useRef<HTMLElement>(null);
  const isNarrow = useMedia('(max-width: 899px)');
  // biome-ignore lint/correctness/useExhaustiveDependencies: on narrow screens the entry of another screen may be out of view
  useEffect(() => {
    place.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }, [current, welcome === null, isNarrow]);
  return (
    <nav ref={place} className="navigation" aria-label="Screens">
      <ul>
        {SCREENS.filter((screen) => isThere(screen, welcome)).map(({ name, title, letter }) => (
          <li key={name}>
            <a href={href(name)} aria-current={name === current ? 'page' : undefined} title={`g then ${letter}`}>
              <span>{title}</span>
              {(counts[name] ?? 0) > 0 && (
                <span className="count" data-tone={name === 'alerts' ? 'bad' : 'waiting'}>
                  {counts[name]}
                </span>
              )}
              <span className="key" data-key={letter} />
            </a>
          </li>
        ))}
      </ul>
      {welcome !== null && (
        <dl className="whose">
          <dt>Node</dt>
          <dd>{welcome.node}</dd>
          <dt>Version</dt>
          <dd>{welcome.version}</dd>
          <dt>Your role</dt>
          <dd>{welcome.readOnly ? `${welcome.role}, read-only` : welcome.role}</dd>
          <dt>A user may have</dt>
          <dd>
            {welcome.limits.perUser}, for a while {welcome.limits.burst}
          </dd>
        </dl>
      )}
    </nav>
  );
}
