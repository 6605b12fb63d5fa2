import { useEffect, useState } from 'react';
import { AdminProblem, createAdminClient, LiveConnection } from 'spillway/admin';
import { findKey, keepKey } from './access/key.ts';
import { KeyPage } from './access/key-page.tsx';
import { type Gateway, GatewayContext } from './live/gateway.ts';
import { Shell } from './shell/shell.tsx';

/** Address of the operators' port, with the gateway's prefix: where this page was loaded from. */
const baseUrl = (): string => new URL('.', location.href).href.replace(/\/$/, '');

/** The whole page: nothing without a key, the dashboard with one. */
export function App() {
  const [key, setKey] = useState(findKey);
  const [refused, setRefused] = useState<string | null>(null);
  const [gateway, setGateway] = useState<Gateway | null>(null);

  useEffect(() => {
    // A link with a key, pasted over an open dashboard.
    const moved = (): void => {
      if (location.hash.startsWith('#k=')) setKey(findKey());
    };
    addEventListener('hashchange', moved);
    return () => removeEventListener('hashchange', moved);
  }, []);

  useEffect(() => {
    if (key === null) return;
    const client = createAdminClient({ url: baseUrl(), key });
    const live = new LiveConnection({ url: baseUrl(), key, page: document });
    const forget = (why: string): void => {
      keepKey(null);
      setRefused(why);
      setKey(null);
    };
    let isOver = false;
    // A browser is not told why a socket was refused, so the key is also tried where the answer can be read.
    client.status().catch((error: unknown) => {
      if (!isOver && AdminProblem.is(error) && error.status === 401) forget('The gateway does not know this key.');
    });
    const stop = live.onState(() => {
      const { state } = live;
      if (state.name !== 'refused') return;
      if (state.code === 'unauthorized') forget('The gateway does not know this key.');
      if (state.code === 'credential-expired') forget('This key has expired; make a new one.');
    });
    setGateway({ client, live });
    return () => {
      isOver = true;
      stop();
      live.close();
      setGateway(null);
    };
  }, [key]);

  if (key === null) {
    return (
      <KeyPage
        refused={refused}
        onKey={(given) => {
          keepKey(given);
          setRefused(null);
          setKey(given);
        }}
      />
    );
  }
  if (gateway === null) return null;
  return (
    <GatewayContext value={gateway}>
      <Shell />
    </GatewayContext>
  );
}
