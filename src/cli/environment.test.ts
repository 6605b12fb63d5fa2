import { expect, it } from 'vitest';
import { googleCloud } from './environment.ts';

it('knows Google Cloud by the service of Cloud Run, or by the project', () => {
  expect(googleCloud({})).toBeNull();
  expect(googleCloud({ K_SERVICE: '', GOOGLE_CLOUD_PROJECT: '' })).toBeNull();
  expect(googleCloud({ K_SERVICE: 'chat' })).toEqual({ project: null });
  expect(googleCloud({ K_SERVICE: 'chat', GOOGLE_CLOUD_PROJECT: 'shop' })).toEqual({ project: 'shop' });
});
