import { expect, it } from 'vitest';
import { isLoopback, parseListen, urlOf } from './listen-address.ts';

it.each([
  [':8787', { host: '', port: 8_787 }, 'http://127.0.0.1:8787', false],
  ['127.0.0.1:0', { host: '127.0.0.1', port: 0 }, 'http://127.0.0.1:0', true],
  ['localhost:80', { host: 'localhost', port: 80 }, 'http://localhost:80', true],
  ['[::1]:443', { host: '::1', port: 443 }, 'http://[::1]:443', true],
  ['0.0.0.0:8080', { host: '0.0.0.0', port: 8_080 }, 'http://127.0.0.1:8080', false],
  ['[::]:8080', { host: '::', port: 8_080 }, 'http://127.0.0.1:8080', false],
  ['chat.example.com:65535', { host: 'chat.example.com', port: 65_535 }, 'http://chat.example.com:65535', false],
])('reads %s', (text, address, url, loopback) => {
  expect(parseListen(text)).toEqual(address);
  expect(urlOf(address)).toBe(url);
  expect(isLoopback(address.host)).toBe(loopback);
});

it.each(['8787', '', ':', ':port', ':65536', '::1:80', 'http://x:80', '[::1]', 'a b:80'])('does not take %j for an address', (text) => {
  expect(parseListen(text)).toBeNull();
});

it('does not take a name that begins like a loopback address for one', () => {
  expect(isLoopback('127.0.0.1.example.com')).toBe(false);
  expect(isLoopback('')).toBe(false);
});
