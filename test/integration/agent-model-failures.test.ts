import { type AddressInfo, createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ModelAgentOptions, modelAgent } from '../../src/agents/model.ts';
import type { ModelProblem } from '../../src/agents/model-errors.ts';
import type { AgentYield } from '../../src/protocol/agent-events.ts';
import { eventsOf, runOf, says, typesOf } from '../support/agent-run.ts';
import { type OpenAiServer, startOpenAiServer } from '../support/openai-server.ts';

const KEY = 'key-that-nobody-may-read';

let server: OpenAiServer;
let problems: ModelProblem[];
beforeEach(async () => {
  server = await startOpenAiServer();
  problems = [];
});
afterEach(() => server[Symbol.asyncDispose]());

const agent = (options: Partial<ModelAgentOptions> = {}) =>
  modelAgent({ baseUrl: server.baseUrl, model: 'test-model', apiKey: KEY, retries: 0, onProblem: (problem) => void problems.push(problem), ...options });

const events = (options: Partial<ModelAgentOptions> = {}, run = runOf([says('Hello')])) => eventsOf(agent(options), run);

describe('a model fails, and the person is told in plain words', () => {
  const cases: readonly [story: string, status: number, body: string, code: string, recoverable: boolean][] = [
    ['a wrong key', 401, `{"error":{"message":"Incorrect API key provided: ${KEY}","type":"invalid_request_error"}}`, 'model_credentials', false],
    ['an unknown model', 404, '{"error":{"message":"model \\"test-model\\" not found"}}', 'model_unknown', false],
    ['a page that is no endpoint', 404, '<html>nginx/1.2.3</html>', 'model_unknown', false],
    ['too many requests', 429, '{"error":{"message":"Rate limit reached"}}', 'model_busy', true],
    ['an account without credit', 429, '{"error":{"message":"You exceeded your current quota","code":"insufficient_quota"}}', 'model_credit', false],
    [
      'a conversation that is too long',
      400,
      '{"error":{"message":"maximum context length is 8192 tokens","code":"context_length_exceeded"}}',
      'model_too_long',
      false,
    ],
    ['a request it does not take', 400, '{"error":{"message":"image input is not supported"}}', 'model_rejected', false],
    ['an error of its own', 500, '{"error":{"message":"stack trace at /srv/app.py:17"}}', 'model_failed', true],
    ['a proxy without a backend', 502, '<html>Bad Gateway</html>', 'model_failed', true],
  ];
  it.each(cases)('%s', async (_story, status, body, code, recoverable) => {
    server.script((x) => x.refuse(status, body));
    const all = await events();
    expect(typesOf(all)).toEqual(['agent_started', 'agent_error']);
    expect(all[1]).toMatchObject({ code, recoverable });
    expect(JSON.stringify(all)).not.toMatch(/key-that|nginx|app\.py|127\.0\.0\.1/);
    expect(problems).toMatchObject([{ code, status }]);
    expect(problems[0]?.detail).not.toContain(KEY);
  });

  it('nothing listens at its address', async () => {
    const probe = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => probe.once('listening', resolve));
    const { port } = probe.address() as AddressInfo;
    await new Promise((resolve) => probe.close(resolve));
    const all = await events({ baseUrl: `http://127.0.0.1:${port}/v1` });
    expect(all.at(-1)).toMatchObject({ type: 'agent_error', code: 'model_unreachable', recoverable: true });
    expect(JSON.stringify(all)).not.toContain(String(port));
  });

  it('its socket is cut in the middle of the answer: what came stays', async () => {
    let cut = () => {};
    server.script((x) => {
      x.text('Once upon ');
      cut = x.cut;
    });
    const all: AgentYield[] = [];
    for await (const event of agent().run(runOf([says('Hello')]))) {
      all.push(event);
      if (event.type === 'text_delta') cut();
    }
    expect(typesOf(all)).toEqual(['agent_started', 'text_delta', 'agent_error']);
    expect(all.at(-1)).toMatchObject({ code: 'model_cut', recoverable: true });
  });

  it('its response ends politely without a finish', async () => {
    server.script((x) => {
      x.text('Once upon ');
      x.end();
    });
    const all = await events();
    expect(typesOf(all)).toEqual(['agent_started', 'text_delta', 'agent_error']);
    expect(all.at(-1)).toMatchObject({ code: 'model_cut', recoverable: true });
  });

  it('it sends something that is not the protocol', async () => {
    server.script((x) => {
      x.text('Once ');
      x.raw('{"choices": [{"delta": {"content": "a secret of the person');
      x.finish();
    });
    expect((await events()).at(-1)).toMatchObject({ type: 'agent_error', code: 'model_garbled', recoverable: true });
    expect(JSON.stringify(problems)).not.toContain('secret of the person');
  });

  it('it reports an error inside its stream', async () => {
    server.script((x) => {
      x.text('Once ');
      x.raw('{"error":{"message":"The server is overloaded at /srv","type":"server_error","code":503}}');
      x.end();
    });
    const all = await events();
    expect(all.at(-1)).toMatchObject({ type: 'agent_error', recoverable: true });
    expect(JSON.stringify(all)).not.toContain('/srv');
  });

  it('it never says a first word, and its request is closed', async () => {
    server.script(() => {});
    const all = await events({ firstTokenMs: 150 });
    expect(all.at(-1)).toMatchObject({ type: 'agent_error', code: 'model_silent', recoverable: true });
    await server.exchanges[0]?.closedByClient;
  });

  it('it falls silent in mid-sentence, and its request is closed', async () => {
    server.script((x) => x.text('Once upon a '));
    const all = await events({ silentMs: 150 });
    expect(typesOf(all)).toEqual(['agent_started', 'text_delta', 'agent_error']);
    expect(all.at(-1)).toMatchObject({ code: 'model_silent', recoverable: true });
    await server.exchanges[0]?.closedByClient;
  });

  it('it ends without a word', async () => {
    server.script((x) => x.finish());
    expect((await events()).at(-1)).toMatchObject({ type: 'agent_error', code: 'model_empty', recoverable: true });
  });

  it('it fails once and is asked again', async () => {
    server.script((x) => x.refuse(503, '{"error":{"message":"starting"}}', { 'retry-after-ms': '1' }));
    server.script((x) => {
      x.text('Here I am.');
      x.finish();
    });
    expect((await events({ retries: 1 })).at(-1)).toMatchObject({ type: 'agent_completed', final_response: 'Here I am.' });
  });
});
