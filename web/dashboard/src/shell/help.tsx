import { useWelcome } from '../live/live-state.ts';
import { Dialog } from '../ui/dialog.tsx';
import { isThere, SCREENS } from './screens.ts';

const KEYS: readonly (readonly [string, string])[] = [
  ['/', 'search'],
  ['j  k', 'next and previous row'],
  ['Enter', 'open the row'],
  ['Esc', 'out of a field or table, then up'],
  ['r', 'apply the changes of a table'],
  ['p', 'pause, go on'],
  ['t', 'theme: system, light, dark'],
  ['?', 'this list'],
];

/** The keys; which screens are not there, and why; how far back the figures go. */
export function Help({ onClose }: { onClose: () => void }) {
  const welcome = useWelcome();
  const absent = SCREENS.filter((screen) => !isThere(screen, welcome));
  return (
    <Dialog title="Keys and screens" onClose={onClose} wide>
      <div className="help">
        <section>
          <h3>Anywhere</h3>
          <dl className="keys">
            {KEYS.map(([key, what]) => (
              <div key={key}>
                <dt>
                  <kbd>{key}</kbd>
                </dt>
                <dd>{what}</dd>
              </div>
            ))}
          </dl>
        </section>
        <section>
          <h3>Screens</h3>
          <dl className="keys">
            {SCREENS.map((screen) => (
              <div key={screen.name}>
                <dt>
                  <kbd>g</kbd> <kbd>{screen.letter}</kbd>
                </dt>
                <dd>
                  {screen.title}
                  {!isThere(screen, welcome) && <span className="muted"> – not here</span>}
                </dd>
              </div>
            ))}
          </dl>
        </section>
      </div>
      {absent.length > 0 && (
        <section>
          <h3>Not here, and why</h3>
          <ul className="reasons">
            {absent.map(({ name, title, absent: why }) => (
              <li key={name}>
                <b>{title}</b>: {why}.
              </li>
            ))}
          </ul>
        </section>
      )}
      <p className="muted small-text">
        The gateway keeps the history of its figures in memory: 15 minutes by the second, 24 hours by the minute, 7 days by ten minutes. Longer: Prometheus.
        Rows stay where they are while you point at a table. Figures go grey when the gateway does not answer.
      </p>
    </Dialog>
  );
}
