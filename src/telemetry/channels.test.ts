import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { expect, it } from 'vitest';
import { toldSource } from '../../test/support/told-source.ts';
import type { UserId } from '../protocol/ids.ts';
import { publishOnChannels } from './channels.ts';

it('publishes events on the channel of their kind while somebody listens', () => {
  const source = toldSource();
  const stop = publishOnChannels(source);
  const heard: unknown[] = [];
  const listen = (message: unknown): void => {
    heard.push(message);
  };
  const gap = { user: 'ada' as UserId, thread: 't' as never, managerId: null };
  source.tell('gap-told', gap);
  subscribe('spillway:resume', listen);
  source.tell('gap-told', gap);
  source.tell('burst-changed', { user: 'ada' as UserId, tier: 'free', to: 'active' });
  unsubscribe('spillway:resume', listen);
  source.tell('gap-told', gap);
  subscribe('spillway:resume', listen);
  stop();
  source.tell('gap-told', gap);
  unsubscribe('spillway:resume', listen);
  expect(heard).toEqual([{ name: 'gap-told', event: gap }]);
});
