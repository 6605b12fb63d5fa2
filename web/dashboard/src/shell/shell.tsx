import { type ReactNode, useEffect, useState } from 'react';
import { cycleTheme } from '../../../chat/src/ui/theme.ts';
import { ThemeButton } from '../../../chat/src/ui/theme-button.tsx';
import { Wordmark } from '../../../chat/src/ui/wordmark.tsx';
import { AlertsPage } from '../alerts/alerts-page.tsx';
import { CleanupPage } from '../cleanup/cleanup-page.tsx';
import { HistoryPage } from '../cleanup/history-page.tsx';
import { DrillPage } from '../drills/drill-page.tsx';
import { DrillsPage } from '../drills/drills-page.tsx';
import { EventsPage } from '../events/events-page.tsx';
import { PauseContext, useIsFresh, useWelcome } from '../live/live-state.ts';
import { ManagerPage } from '../managers/manager-page.tsx';
import { ManagersPage } from '../managers/managers-page.tsx';
import { NodesPage } from '../nodes/nodes-page.tsx';
import { Overview } from '../overview/overview.tsx';
import { QueuePage } from '../queue/queue-page.tsx';
import { clock } from '../ui/format.ts';
import { go, href, type Route, useRoute } from '../ui/route.ts';
import { Empty } from '../ui/states.tsx';
import { UserPage } from '../users/user-page.tsx';
import { UsersPage } from '../users/users-page.tsx';
import { AlertAnnouncer } from './alert-announcer.tsx';
import { ConnectionBanner, ConnectionSign } from './connection-banner.tsx';
import { Help } from './help.tsx';
import { Navigation } from './navigation.tsx';
import { SCREENS } from './screens.ts';
import { useKeys } from './use-keys.ts';

/** The frame around every screen: where one is, how the connection stands, and the keys that work everywhere. */
export function Shell() {
  const route = useRoute();
  const welcome = useWelcome();
  const isFresh = useIsFresh();
  const [pausedAt, setPausedAt] = useState<number | null>(null);
  const [helps, setHelps] = useState(false);
  const pause = (): void => setPausedAt((before) => (before === null ? Date.now() : null));
  useKeys({ pause, help: () => setHelps((before) => !before), theme: cycleTheme });

  const title = titleOf(route);
  useEffect(() => {
    document.title = `${title} · Spillway`;
  }, [title]);

  return (
    <PauseContext value={pausedAt !== null}>
      <div className="shell">
        <button type="button" className="skip" onClick={skipToScreen}>
          Skip to the screen
        </button>
        <header className="topbar">
          <a href={href('overview')} className="home" aria-label="Spillway, overview">
            <Wordmark />
          </a>
          <ConnectionSign />
          <div className="topbar-end">
            <button type="button" className="button" aria-pressed={pausedAt !== null} onClick={pause} title="Stop the figures (p)">
              {pausedAt === null ? 'Pause' : 'Go on'}
            </button>
            <ThemeButton />
            <button type="button" className="icon-button" aria-label="Keys and screens" title="Keys and screens (?)" onClick={() => setHelps(true)}>
              <span aria-hidden="true">?</span>
            </button>
          </div>
        </header>
        <Navigation route={route} />
        <main id="screen" className="screen" tabIndex={-1} aria-label={title} data-fresh={isFresh} data-paused={pausedAt !== null}>
          <ConnectionBanner />
          {pausedAt !== null && (
            <p className="banner" data-tone="waiting">
              Paused at {clock(pausedAt)}; what is shown is of then. Press <kbd>p</kbd> to go on.
            </p>
          )}
          <div className="screen-body">{welcome === null ? null : screenOf(route, welcome.features)}</div>
        </main>
        <AlertAnnouncer />
        {helps && <Help onClose={() => setHelps(false)} />}
      </div>
    </PauseContext>
  );
}

function skipToScreen(): void {
  document.getElementById('screen')?.focus();
}

function titleOf({ screen, about }: Route): string {
  const name = screen === 'managers' ? 'Managers' : (SCREENS.find((one) => one.name === screen)?.title ?? 'Not found');
  return about === null ? name : `${about} · ${name}`;
}

function screenOf(route: Route, features: readonly string[]): ReactNode {
  const { screen, about, query } = route;
  const known = SCREENS.find(({ name }) => name === screen);
  if (known?.needs !== undefined && !features.includes(known.needs)) return <Empty title={`There is no screen “${known.title}” here: ${known.absent}.`} />;
  switch (screen) {
    case 'overview':
      return <Overview />;
    case 'users':
      return about === null ? <UsersPage key="users" filter={query.get('filter') ?? ''} /> : <UserPage key={about} user={about} />;
    case 'managers':
      return about === null ? <ManagersPage verdict={query.get('verdict')} user={query.get('user')} /> : <ManagerPage key={about} id={about} />;
    case 'cleanup':
      return about === null ? <HistoryPage user={query.get('user')} /> : <CleanupPage key={about} run={about} />;
    case 'events':
      return <EventsPage words={query.get('filter') ?? ''} />;
    case 'queue':
      return <QueuePage />;
    case 'alerts':
      return <AlertsPage />;
    case 'drills':
      return about === null ? <DrillsPage /> : <DrillPage key={about} id={about} />;
    case 'nodes':
      return <NodesPage />;
    default:
      return (
        <Empty title="There is no such screen">
          <button type="button" className="button" onClick={() => go(href('overview'))}>
            Overview
          </button>
        </Empty>
      );
  }
}
