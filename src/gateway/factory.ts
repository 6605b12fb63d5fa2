import { WebSocketManagerFactory as Factory } from '../managers/factory.ts';
import type { FactoryOptions } from '../managers/factory-options.ts';
import { memoryStore } from '../stores/memory.ts';

/** The factory on its own, without a gateway. Default store: memory, which keeps nothing over a restart and makes no files. */
export class WebSocketManagerFactory extends Factory {
  constructor(options: Omit<FactoryOptions, 'store'> & Partial<Pick<FactoryOptions, 'store'>> = {}) {
    const { store, ...rest } = options;
    super({ ...rest, store: store ?? memoryStore({ ...(rest.clock ? { clock: rest.clock } : {}), ...(rest.random ? { random: rest.random } : {}) }) });
  }
}
