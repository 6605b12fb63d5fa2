/** The first page of somebody who is not signed in. */

import { ThemeButton } from '../ui/theme-button.tsx';
import { Wordmark } from '../ui/wordmark.tsx';
import { SignInForm } from './sign-in-form.tsx';
import type { ServerConfig } from './use-account.ts';

const NOTES = {
  nobody: 'Sign in to start a conversation.',
  'signed-out': 'You signed out. Your conversations are kept.',
  expired: 'Please sign in again; your draft is saved.',
} as const;

export function SignInPage({ because, config }: { because: keyof typeof NOTES; config: ServerConfig | null }) {
  return (
    <main className="sign-in-page">
      <div className="corner">
        <ThemeButton />
      </div>
      <section className="card">
        <h1>
          <Wordmark />
        </h1>
        <p className="muted" role="status">
          {config === null ? 'Waiting for the server…' : NOTES[because]}
        </p>
        <SignInForm demo={config?.auth.modes.includes('dev') ?? false} />
      </section>
    </main>
  );
}
