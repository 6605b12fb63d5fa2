import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ModelAgentOptions, modelAgent } from '../../src/agents/model.ts';
import type { ModelProblem } from '../../src/agents/model-errors.ts';
import type { AgentYield } from '../../src/protocol/agent-events.ts';
import { eventsOf, message, runOf, says, typesOf } from '../support/agent-run.ts';
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

describe('a model answers', () => {
  it('its text comes piece by piece, with usage at the end and the key in the header', async () => {
    server.script((x) => {
      x.text('Good ');
      x.text('morning');
      x.finish();
    });
    const all = await events({ system: 'Be kind.' });
    expect(typesOf(all)).toEqual(['agent_started', 'text_delta', 'text_delta', 'agent_completed']);
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
    expect(all.flatMap((event) => (event.type === 'agent_thinking' ? [[event.thinking_id, event.reasoning]] : []))).toEqual([
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
    expect(typesOf(all)).toEqual(['agent_started', 'text_delta', 'tool_executing', 'tool_completed', 'text_delta', 'agent_completed']);
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
    expect(all.filter((event) => event.type === 'tool_completed')).toMatchObject([{ success: false, error_message: expect.stringContaining('Narnia') }]);
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

describe('a person stops an answer', () => {
  it('in the middle: the provider’s request is closed and the run ends without another event', async () => {
    server.script((x) => x.text('Once upon '));
    const stop = new AbortController();
    const all: AgentYield[] = [];
    for await (const event of agent().run(runOf([says('Hello')], { signal: stop.signal }))) {
      all.push(event);
      if (event.type === 'text_delta') stop.abort();
    }
    expect(typesOf(all)).toEqual(['agent_started', 'text_delta']);
    await server.exchanges[0]?.closedByClient;
    expect(problems).toEqual([]);
  });

  it('before the first word', async () => {
    const stop = new AbortController();
    server.script(() => stop.abort());
    const all = await events({}, runOf([says('Hello')], { signal: stop.signal }));
    expect(typesOf(all)).toEqual(['agent_started']);
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
