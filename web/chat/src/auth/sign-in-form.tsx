/** Name and password. */

import { type FormEvent, useEffect, useId, useRef, useState } from 'react';
import { spanText, useNow } from '../ui/clock.ts';
import { HttpProblem } from './http.ts';
import { account } from './use-account.ts';

/** `demo`: this server has demo accounts, so one is filled in. `name`: who was signed in before. */
export function SignInForm({ demo, name, focus = true }: { demo: boolean; name?: string | undefined; focus?: boolean }) {
  const [username, setUsername] = useState(name ?? '');
  const [password, setPassword] = useState('');
  const [problem, setProblem] = useState<{ text: string; until: number | null } | null>(null);
  const [busy, setBusy] = useState(false);
  const first = useRef<HTMLInputElement>(null);
  const problemId = useId();
  const now = useNow(1_000, problem?.until !== null && problem !== null);
  const waitMs = problem?.until == null ? 0 : Math.max(0, problem.until - now);

  useEffect(() => {
    // Filled in once, and only what the person has not touched yet.
    if (!demo) return;
    setUsername((typed) => (typed === '' ? 'ada' : typed));
    setPassword((typed) => (typed === '' ? 'spillway' : typed));
  }, [demo]);

  useEffect(() => {
    if (focus) first.current?.focus();
  }, [focus]);

  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    try {
      await account.signIn(username.trim(), password);
    } catch (error) {
      setProblem(problemOf(error));
      setBusy(false);
      first.current?.focus();
    }
  };

  return (
    <form className="sign-in" onSubmit={(event) => void submit(event)} aria-describedby={problem === null ? undefined : problemId}>
      <label>
        <span>Name</span>
        <input
          ref={first}
          name="username"
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          required
          value={username}
          onChange={(event) => setUsername(event.target.value)}
        />
      </label>
      <label>
        <span>Password</span>
        <input
          name="password"
          type="password"
          autoComplete="current-password"
          required
          value={password}
          onChange={(event) => setPassword(event.target.value)}
        />
      </label>
      <p id={problemId} className="problem" role="alert">
        {problem?.text}
        {waitMs > 0 && ` You can try again in ${spanText(waitMs)}.`}
      </p>
      <button type="submit" className="primary" disabled={busy || waitMs > 0}>
        {busy ? 'Signing in…' : 'Sign in'}
      </button>
      {demo && name === undefined && (
        <p className="hint">
          This is a demo server. The account <strong>ada</strong> with the password <strong>spillway</strong> is filled in; <strong>ben</strong>,{' '}
          <strong>cleo</strong> and <strong>dora</strong> share that password.
        </p>
      )}
    </form>
  );
}

function problemOf(error: unknown): { text: string; until: number | null } {
  if (!(error instanceof HttpProblem)) return { text: 'The server does not answer. Please try again in a moment.', until: null };
  if (error.code === 'invalid-credentials') return { text: 'Name and password do not match.', until: null };
  if (error.status === 404) return { text: 'Signing in happens elsewhere on this server.', until: null };
  return { text: error.message, until: error.retryAfterMs === null ? null : Date.now() + error.retryAfterMs };
}
