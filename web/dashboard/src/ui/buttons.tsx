import { type ReactNode, useEffect, useState } from 'react';

/** Something that changes the gateway. `refused`: why this key may not do it here; the button then stays and says so. */
export function ActionButton({
  refused,
  onClick,
  busy = false,
  tone = 'plain',
  children,
}: {
  refused: string | null;
  onClick: () => void;
  busy?: boolean;
  tone?: 'plain' | 'danger' | 'primary';
  children: ReactNode;
}) {
  return (
    <button
      type="button"
      className="button"
      data-tone={tone}
      disabled={refused !== null || busy}
      title={refused === null ? undefined : `Not here: ${refused}`}
      aria-busy={busy}
      onClick={onClick}
    >
      {children}
      {refused !== null && <span className="hidden-text"> (not here: {refused})</span>}
    </button>
  );
}

/** Copies a text and says that it did. */
export function CopyButton({ label, text, title }: { label: string; text: () => string; title?: string }) {
  const [said, setSaid] = useState<string | null>(null);
  useEffect(() => {
    if (said === null) return;
    const timer = setTimeout(() => setSaid(null), 2_500);
    return () => clearTimeout(timer);
  }, [said]);
  const copy = (): void => {
    copyText(text()).then(
      () => setSaid('Copied'),
      () => setSaid('The browser does not let this page copy'),
    );
  };
  return (
    <button type="button" className="button" onClick={copy} title={title}>
      {said ?? label}
    </button>
  );
}

async function copyText(text: string): Promise<void> {
  if (navigator.clipboard !== undefined) return navigator.clipboard.writeText(text);
  // Browsers offer a clipboard to secure addresses only, and operators come over plain addresses of their own networks too.
  const field = document.createElement('textarea');
  field.value = text;
  document.body.append(field);
  field.select();
  const done = document.execCommand('copy');
  field.remove();
  if (!done) throw new Error('Expected the browser to copy, it refused.');
}

/** The line that does the same on the command line. */
export function CliLine({ command }: { command: string }) {
  return (
    <p className="cli">
      <span className="muted">Same in CLI</span> <code>{command}</code> <CopyButton label="Copy" text={() => command} />
    </p>
  );
}

/** A word for a command line, quoted where a shell would take it apart. */
export const shellWord = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);
