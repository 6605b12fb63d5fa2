import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Ajv } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, test } from 'vitest';
import { createAsyncApi } from './asyncapi.ts';
import { CLIENT_FRAMES } from './client-frames.ts';
import { SERVER_FRAMES } from './server-frames.ts';

interface Document {
  readonly channels: { readonly native: { readonly address: string; readonly messages: Record<string, unknown> } };
  readonly components: {
    readonly messages: Record<string, { readonly name: string; readonly payload: { readonly $ref: string } }>;
    readonly schemas: Record<string, object>;
  };
}
const document = createAsyncApi({ version: '0.1.0', path: '/v1/ws' }) as unknown as Document;

test('the description of the wire is valid AsyncAPI 3', () => {
  const specification = JSON.parse(readFileSync(createRequire(import.meta.url).resolve('@asyncapi/specs/schemas/3.0.0-without-$id.json'), 'utf8')) as object;
  const ajv = new Ajv({ strict: false, allErrors: true, logger: false });
  const validate = ajv.compile(specification);
  expect(validate(document) ? [] : validate.errors).toEqual([]);
});

test('it names every frame once, by the type that is on the wire', () => {
  const names = Object.values(document.components.messages).map((message) => message.name);
  expect(names.sort()).toEqual([...Object.keys(CLIENT_FRAMES), ...Object.keys(SERVER_FRAMES)].sort());
  expect(Object.keys(document.channels.native.messages).sort()).toEqual(Object.keys(document.components.messages).sort());
});

test('every reference leads somewhere', () => {
  const { schemas, messages } = document.components;
  for (const [, reference] of JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)) {
    const [, , kind, name] = (reference as string).split('/');
    const place = kind === 'schemas' ? schemas : kind === 'messages' ? messages : document.channels;
    if ((reference as string).startsWith('#/components/')) expect(place, reference).toHaveProperty([name as string]);
  }
});

test('a program that knows only the document takes good frames and refuses broken ones', () => {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  const validate = ajv.compile({ $ref: '#/components/schemas/Send', components: document.components });
  expect(validate({ type: 'send', id: 'a', thread: 't', data: { text: 'hi' }, later: true })).toBe(true);
  expect(validate({ type: 'send', id: 'a', thread: 't', data: { parts: [{ type: 'text', text: 'hi' }] } })).toBe(true);
  expect(validate({ type: 'send', id: 'a', thread: 't', data: { text: 'hi', parts: [{ type: 'text', text: 'hi' }] } })).toBe(false);
  expect(validate({ type: 'send', id: 'a', thread: 'a b', data: { text: 'hi' } })).toBe(false);
});
