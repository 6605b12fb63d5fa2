/** The page of somebody who is signed in: one client, one session, however many conversations. */

import { useState } from 'react';
import { createSpillway, type SpillwayClient } from 'spillway/client';
import { SpillwayProvider } from 'spillway/react';
import type { User } from '../auth/account.ts';
import { addressOf } from '../auth/http.ts';
import { account, type ServerConfig } from '../auth/use-account.ts';
import { tabLabel } from '../ui/device.ts';
import { openedAt } from '../ui/opened.ts';
import { ChatFrame } from './chat-frame.tsx';
import { Reloading, useReloading } from './reloading.ts';

function makeClient(): { client: SpillwayClient; reloading: Reloading } {
  let given: string | undefined;
  const reloading = new Reloading();
  const client = createSpillway({
    url: addressOf('v1/ws'),
    getToken: async ({ reason }) => {
      given = await account.token(reason === 'connect' ? undefined : given);
      return given;
    },
    label: tabLabel(navigator.userAgent, openedAt()),
    debug: reloading.debug,
  });
  reloading.watch(client);
  return { client, reloading };
}

export function ChatPage({ user, needsSignIn, config }: { user: User; needsSignIn: boolean; config: ServerConfig | null }) {
  const [{ client, reloading }] = useState(makeClient);
  return (
    <SpillwayProvider client={client}>
      <ChatFrame user={user} needsSignIn={needsSignIn} config={config} isReloading={useReloading(reloading)} />
    </SpillwayProvider>
  );
}
