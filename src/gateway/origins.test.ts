import { describe, expect, test } from 'vitest';
import { createOriginPolicy } from './origins.ts';

const policy = createOriginPolicy({ allow: ['https://chat.example.com', 'http://localhost:3000/'] });
const judge = (origin: string | null, own = 'http://gateway:8787') => policy.judge({ origin, own });

describe('an origin', () => {
  test.each(['https://chat.example.com', 'HTTPS://Chat.Example.com', 'https://chat.example.com:443', 'http://localhost:3000', 'http://gateway:8787'])(
    '%s is allowed',
    (origin) => expect(judge(origin)).toBe('allowed'),
  );

  test.each([
    'null',
    '',
    'http://chat.example.com',
    'https://chat.example.com:8443',
    'https://chat.example.com.evil.net',
    'https://evil.net/https://chat.example.com',
    'https://chat.example.com@evil.net',
    'https://xchat.example.com',
    'https://sub.chat.example.com',
    'http://localhost',
    'https://gateway:8787',
    'http://gateway',
    'chat.example.com',
    'https://chat.example.com/path',
    'https://chat.example.com https://evil.net',
    'file://',
  ])('"%s" is denied', (origin) => expect(judge(origin)).toBe('denied'));

  test('that is not sent is neither', () => expect(judge(null)).toBe('absent'));

  test('"null" is denied even where it is our own', () => expect(judge('null', 'null')).toBe('denied'));
});

test('all wrong entries of the allow-list come in one error', () => {
  expect(() =>
    createOriginPolicy({ allow: ['https://good.example', '*', 'chat.example.com', 'https://*.example.com', 'null', 'https://a.example/chat'] }),
  ).toThrow('got "*", "chat.example.com", "https://*.example.com", "null", "https://a.example/chat"');
});
