/** Who is signed in decides what is shown. */

import { useState } from 'react';
import { SignInPage } from './auth/sign-in-page.tsx';
import { useAccount, useServerConfig } from './auth/use-account.ts';
import { ChatPage } from './chat/chat-page.tsx';

export function App() {
  const state = useAccount();
  const config = useServerConfig();
  // Whose conversations are on the screen: they stay readable when a sign-in has expired.
  const [shown, setShown] = useState(state.user);
  if (state.name === 'in' && shown?.id !== state.user.id) setShown(state.user);
  if (state.name === 'out' && state.because !== 'expired' && shown !== null) setShown(null);

  if (shown === null) return <SignInPage because={state.name === 'out' ? state.because : 'nobody'} config={config} />;
  return <ChatPage key={shown.id} user={shown} needsSignIn={state.name === 'out'} config={config} />;
}
