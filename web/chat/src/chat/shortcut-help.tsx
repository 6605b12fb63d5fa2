import { CloseIcon } from '../ui/icons.tsx';

const KEYS = [
  ['Enter', 'send'],
  ['Shift Enter', 'new line'],
  ['Esc', 'stop the answer, or close what is open'],
  ['/', 'go to the message box'],
  ['n', 'new chat'],
  ['j  k', 'next, previous conversation'],
  ['s', 'your sessions'],
  ['t', 'theme'],
  ['?', 'this list'],
] as const;

/** The keys that work while nobody types. */
export function ShortcutHelp({ onClose }: { onClose(): void }) {
  return (
    <aside className="panel help" aria-labelledby="help-title">
      <header>
        <h2 id="help-title">Keys</h2>
        <button type="button" className="icon-button" onClick={onClose} aria-label="Close the list of keys">
          <CloseIcon />
        </button>
      </header>
      <dl>
        {KEYS.map(([key, what]) => (
          <div key={key}>
            <dt>
              {key.split(/ +/).map((one) => (
                <kbd key={one}>{one}</kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <p className="muted small-text">Single keys work while you are not typing.</p>
    </aside>
  );
}
