import { expect, test } from 'vitest';
import { storeError } from './errors.ts';

const codeOf = (message: string) => storeError(new Error(message), 'seat-admit').code;

test('what passes is unavailable, what stays is broken', () => {
  for (const message of [
    "READONLY You can't write against a read only replica. script: abc, on @user_script:1.",
    'LOADING Redis is loading the dataset in memory',
    'CLUSTERDOWN Hash slot not served',
    "OOM command not allowed when used memory > 'maxmemory'.",
    'MISCONF Redis is configured to save RDB snapshots, but it is currently unable to persist to disk.',
    'NOREPLICAS Not enough good replicas to write.',
    "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
    'BUSY Redis is busy running a script.',
    "Stream isn't writeable and enableOfflineQueue options is false",
    'Connection is closed.',
    'Reached the max retries per request limit (which is 0). Refer to "maxRetriesPerRequest" option for details.',
    "Cluster isn't ready and enableOfflineQueue options is false",
    'connect ECONNREFUSED 127.0.0.1:6379',
  ]) {
    expect(codeOf(message), message).toBe('SPILLWAY_STORE_UNAVAILABLE');
  }
  for (const message of [
    'NOPERM this user has no permissions',
    'WRONGTYPE Operation against a key',
    'ERR user_script:1: bad argument',
    'NOAUTH Authentication required.',
  ]) {
    expect(codeOf(message), message).toBe('SPILLWAY_STORE_BROKEN');
  }
});

test('an error names the call, what came and what helps; what is known of the connection comes first', () => {
  expect(storeError(new Error('LOADING Redis is loading'), 'seat-admit').message).toBe(
    'Redis did not take seat-admit, but said: LOADING Redis is loading. It reads its data from disk after a start; it serves when that is done.',
  );
  expect(storeError(new Error('Connection is closed.'), 'seat-admit', 'connect ECONNREFUSED 127.0.0.1:1').message).toContain('could not: connect ECONNREFUSED');
});
