/** The address of a store whose password held an `@` that was not spelled `%40` is refused at the start. The refusal showed the address
 *  with its password taken out, up to the first `@`: the rest of it stood in the log. */

import { expect, test } from 'vitest';
import { shownValue } from '../../src/core/option-names.ts';

test.each(['redis://:p@zz/w@rd@10.0.0.5:6379', 'redis+cluster://ada:p@zz/w@rd@a:7000,b:7001', 'rediss+sentinel://:p@zz/w@rd@a:26379/main'])(
  'no part of the password of %s is shown',
  (address) => {
    expect(String(shownValue(address))).not.toMatch(/p@|zz|w@rd/);
    expect(String(shownValue(address))).toMatch(/:\[secret\]@(10\.0\.0\.5:6379|a:7000,b:7001|a:26379\/main)$/);
  },
);
