import { type FormEvent, useId, useState } from 'react';
import { ThemeButton } from '../../../chat/src/ui/theme-button.tsx';
import { Wordmark } from '../../../chat/src/ui/wordmark.tsx';

/** Asks for the admin key. `refused`: why the last one did not do. */
export function KeyPage({ refused, onKey }: { refused: string | null; onKey: (key: string) => void }) {
  const [key, setKey] = useState('');
  const [field, help] = [useId(), useId()];
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (key.trim() !== '') onKey(key.trim());
  };
  return (
    <main className="key-page">
      <form className="key-card" onSubmit={submit}>
        <header>
          <Wordmark />
          <ThemeButton />
        </header>
        <h1>Operations</h1>
        <p className="muted" id={help}>
          It stands in the file <code>admin-key</code> of the data folder, or is the value of <code>admin.token</code>. On a terminal, <code>spillway dev</code>{' '}
          prints a link that carries it.
        </p>
        {refused !== null && (
          <p className="problem" role="alert">
            {refused}
          </p>
        )}
        <label htmlFor={field}>Admin key</label>
        <input
          id={field}
          type="password"
          value={key}
          onChange={(event) => setKey(event.target.value)}
          autoComplete="off"
          spellCheck={false}
          aria-describedby={help}
          // biome-ignore lint/a11y/noAutofocus: the one field of a page that asks for nothing else
          autoFocus
        />
        <button type="submit" className="primary wide" disabled={key.trim() === ''}>
          Open
        </button>
        <p className="muted small-text">The key stays in this tab and is forgotten when it is closed.</p>
      </form>
    </main>
  );
}
