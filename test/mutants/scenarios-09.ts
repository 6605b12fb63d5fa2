import type { Mutant } from './mutant.ts';

/** Mistakes that AS-09 must notice. */
export const SCENARIO_MUTANTS_09: readonly Mutant[] = [
  {
    name: 'send-before-log',
    proves: 'events are sent as soon as they have their offset, before the store has confirmed them',
    file: 'src/streams/stream.ts',
    find: '    this.#view.keep(logged, bytes);\n    this.#commit.want(this);',
    replace: '    this.#view.keep(logged, bytes);\n    this.#view.reached(offset);\n    this.#view.wake();\n    this.#commit.want(this);',
    caughtBy: 'test/acceptance/as-09-gateway.test.ts -t it is killed',
  },
  {
    name: 'seam',
    proves: 'a subscription turns live at the head of the log before its replay has got there',
    file: 'src/streams/cursor.ts',
    find: '      this.#isLive = true;\n',
    replace: '      this.#isLive = true;\n      this.#offset = this.stream.mark;\n',
    caughtBy: 'test/acceptance/as-09.test.ts -t it is reloaded',
  },
  {
    name: 'ack-on-receipt',
    proves: 'the SDK acknowledges what has arrived before the application has it',
    file: 'src/client/inbox.ts',
    find: "    else if (frame.type === 'event' && !channel.receive(frame, bytes)) this.#reopen(channel);",
    replace: [
      "    else if (frame.type === 'event') {",
      "      this.#options.send({ type: 'ack', sub: frame.sub, offset: frame.offset });",
      '      if (!channel.receive(frame, bytes)) this.#reopen(channel);',
      '    }',
    ].join('\n'),
    caughtBy: 'test/acceptance/as-09-evicted.test.ts -t Force takes it',
  },
];
