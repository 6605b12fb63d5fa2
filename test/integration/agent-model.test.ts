import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ModelAgentOptions, modelAgent } from '../../src/agents/model.ts';
import type { ModelProblem } from '../../src/agents/model-errors.ts';
import type { AgentRun } from '../../src/ports/agent.ts';
import type { AgentYield } from '../../src/protocol/agent-events.ts';
import type { MessagePart, SessionInfo, ThreadMessage } from '../../src/protocol/messages.ts';
import { type OpenAiServer, startOpenAiServer } from '../support/openai-server.ts';

const KEY = 'key-that-nobody-may-read';

let server: OpenAiServer;
let problems: ModelProblem[];
beforeEach(async () => {
  server = await startOpenAiServer();
  problems = [];
});
afterEach(() => server[Symbol.asyncDispose]());

const message = (role: 'user' | 'assistant', ...parts: MessagePart[]): ThreadMessage =>
  ({ id: 'msg_1', role, status: 'complete', createdAt: 0, parts }) as unknown as ThreadMessage;
const says = (text: string) => message('user', { type: 'text', text });
const runOf = (messages: readonly ThreadMessage[], signal = new AbortController().signal, sessions: readonly SessionInfo[] = []): AgentRun =>
  ({ userId: 'u1', threadId: 't1', runId: 'run_1', messages, signal, sessions: () => Promise.resolve(sessions) }) as unknown as AgentRun;
const agent = (options: Partial<ModelAgentOptions> = {}) =>
  modelAgent({ baseUrl: server.baseUrl, model: 'test-model', apiKey: KEY, retries: 0, onProblem: (problem) => void problems.push(problem), ...options });

async function events(options: Partial<ModelAgentOptions> = {}, run = runOf([says('Hello')])): Promise<AgentYield[]> {
  const all: AgentYield[] = [];
  for await (const event of agent(options).run(run)) all.push(event);
  return all;
}
const ofType = <T extends AgentYield['type']>(all: readonly AgentYield[], type: T) =>
  all.filter((event): event is Extract<AgentYield, { type: T }> => event.type === type);

describe('a model answers', () => {
  it('its text comes piece by piece, with usage at the end and the key in the header', async () => {
    server.script((x) => {
      x.text('Good ');
      x.text('morning');
      x.finish();
    });
    const all = await events({ system: 'Be kind.' });
    expect(all.map((event) => event.type)).toEqual(['agent_started', 'text_delta', 'text_delta', 'agent_completed']);
    expect(all[0]).toMatchObject({ agent_name: 'test-model', model: 'test-model' });
    expect(all.at(-1)).toMatchObject({ status: 'completed', final_response: 'Good morning', usage: { input_tokens: 7, output_tokens: 5, total_tokens: 12 } });
    const { path, headers, body } = server.exchanges[0] as (typeof server.exchanges)[0];
    expect(path).toBe('/v1/chat/completions');
    expect(headers.authorization).toBe(`Bearer ${KEY}`);
    expect(body.messages[0]).toEqual({ role: 'system', content: 'Be kind.' });
    expect(body.tools).toBeUndefined();
  });

  it('the first piece arrives while the provider still writes', async () => {
    let goOn = () => {};
    const waiting = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    server.script(async (x) => {
      x.text('first');
      await waiting;
      x.text(' second');
      x.finish();
    });
    const seen: string[] = [];
    for await (const event of agent().run(runOf([says('Hello')]))) {
      if (event.type !== 'text_delta') continue;
      seen.push(event.text);
      goOn();
    }
    expect(seen).toEqual(['first', ' second']);
  });

  it('its reasoning becomes thinking, apart from the text', async () => {
    server.script((x) => {
      x.reasoning('Let me ');
      x.reasoning('see.');
      x.text('42');
      x.finish();
    });
    const all = await events();
    expect(ofType(all, 'agent_thinking').map((event) => [event.thinking_id, event.reasoning])).toEqual([
      ['step-1', 'Let me '],
      ['step-1', 'see.'],
    ]);
    expect(all.at(-1)).toMatchObject({ final_response: '42' });
  });

  it('its tool calls are carried out, shown, and answered to it', async () => {
    server.script((x) => {
      x.text('I calculate.');
      x.toolCall('call-1', 'calculator', { expression: '6*7' });
      x.finish('tool_calls');
    });
    server.script((x) => {
      x.text('It is 42.');
      x.finish();
    });
    const all = await events({ tools: true });
    expect(all.map((event) => event.type)).toEqual(['agent_started', 'text_delta', 'tool_executing', 'tool_completed', 'text_delta', 'agent_completed']);
    expect(all[2]).toMatchObject({ tool_name: 'calculator', execution_id: 'call-1', parameters: { expression: '6*7' } });
    expect(all[3]).toMatchObject({ execution_id: 'call-1', success: true, results: { value: 42 } });
    expect(all.at(-1)).toMatchObject({ final_response: 'I calculate.\n\nIt is 42.', usage: { total_tokens: 24 } });
    expect(server.exchanges[0]?.body.tools.map((tool: { function: { name: string } }) => tool.function.name).sort()).toEqual([
      'calculator',
      'clock',
      'search',
      'sessions',
    ]);
    expect(server.exchanges[1]?.body.messages.at(-1)).toMatchObject({ role: 'tool', tool_call_id: 'call-1' });
  });

  it('a tool that fails is shown as failed, and the answer goes on', async () => {
    server.script((x) => {
      x.toolCall('call-1', 'clock', { place: 'Narnia' });
      x.finish('tool_calls');
    });
    server.script((x) => {
      x.text('I do not know that place.');
      x.finish();
    });
    const all = await events({ tools: true });
    expect(ofType(all, 'tool_completed')).toMatchObject([{ success: false, error_message: expect.stringContaining('Narnia') }]);
    expect(all.at(-1)).toMatchObject({ type: 'agent_completed', final_response: 'I do not know that place.' });
  });

  it('an earlier conversation reaches it: text, pictures by address, tool results only with tools, no reasoning', async () => {
    const earlier = [
      message(
        'user',
        { type: 'text', text: 'Look' },
        { type: 'file', url: 'https://example.org/cat.png', mediaType: 'image/png' },
        { type: 'file', url: 'http://10.0.0.1/secret.zip', mediaType: 'application/zip' },
      ),
      message(
        'assistant',
        { type: 'reasoning', text: 'hm' },
        { type: 'tool', executionId: 'e1', toolName: 'clock', parameters: {}, success: true, results: { time: '12:00' } },
        { type: 'text', text: 'Noon.' },
      ),
      says('Thanks'),
    ];
    for (const tools of [false, true]) {
      server.script((x) => {
        x.text('ok');
        x.finish();
      });
      await events({ tools }, runOf(earlier));
    }
    const [plain, withTools] = server.exchanges.map((x) => x.body.messages);
    expect(plain.map((m: { role: string }) => m.role)).toEqual(['user', 'assistant', 'user']);
    expect(plain[0].content).toEqual([
      { type: 'text', text: 'Look' },
      { type: 'image_url', image_url: { url: 'https://example.org/cat.png' } },
      { type: 'text', text: expect.stringContaining('application/zip') },
    ]);
    expect(plain[1].content).toBe('Noon.');
    expect(withTools.map((m: { role: string }) => m.role)).toEqual(['user', 'assistant', 'tool', 'assistant', 'user']);
    expect(JSON.stringify(server.exchanges.map((x) => x.body))).not.toContain('"hm"');
  });
});

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
    expect(all.map((event) => event.type)).toEqual(['agent_started', 'agent_error']);
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
    expect(all.map((event) => event.type)).toEqual(['agent_started', 'text_delta', 'agent_error']);
    expect(all.at(-1)).toMatchObject({ code: 'model_cut', recoverable: true });
  });

  it('its response ends politely without a finish', async () => {
    server.script((x) => {
      x.text('Once upon ');
      x.end();
    });
    const all = await events();
    expect(all.map((event) => event.type)).toEqual(['agent_started', 'text_delta', 'agent_error']);
    expect(all.at(-1)).toMatchObject({ code: 'model_cut', recoverable: true });
  });

  it('it sends something that is not the protocol', async () => {
    server.script((x) => {
      x.text('Once ');
      x.raw('{"choices": [{"delta": {"content":');
      x.finish();
    });
    expect((await events()).at(-1)).toMatchObject({ type: 'agent_error', code: 'model_garbled', recoverable: true });
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
    expect(all.map((event) => event.type)).toEqual(['agent_started', 'text_delta', 'agent_error']);
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

describe('a person stops an answer', () => {
  it('in the middle: the provider’s request is closed and the run ends without another event', async () => {
    server.script((x) => x.text('Once upon '));
    const stop = new AbortController();
    const all: AgentYield[] = [];
    for await (const event of agent().run(runOf([says('Hello')], stop.signal))) {
      all.push(event);
      if (event.type === 'text_delta') stop.abort();
    }
    expect(all.map((event) => event.type)).toEqual(['agent_started', 'text_delta']);
    await server.exchanges[0]?.closedByClient;
    expect(problems).toEqual([]);
  });

  it('before the first word', async () => {
    const stop = new AbortController();
    server.script(() => stop.abort());
    const all = await events({}, runOf([says('Hello')], stop.signal));
    expect(all.map((event) => event.type)).toEqual(['agent_started']);
    await server.exchanges[0]?.closedByClient;
  });

  it('a run that is no longer pulled closes the request too', async () => {
    server.script((x) => x.text('Once upon '));
    for await (const event of agent().run(runOf([says('Hello')]))) if (event.type === 'text_delta') break;
    await server.exchanges[0]?.closedByClient;
  });
});

describe('a model that is set up wrongly is refused at the start', () => {
  it.each([
    [{ baseUrl: 'localhost:11434', model: 'm' }, 'agent.baseUrl'],
    [{ baseUrl: 'http://127.0.0.1:1/v1', model: ' ' }, 'agent.model'],
  ])('%j', (options, key) => {
    expect(() => modelAgent(options)).toThrow(key);
  });
});
