import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One request, with the means to answer it piece by piece over its real socket. */
export interface Exchange {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  // biome-ignore lint/suspicious/noExplicitAny: the body is whatever the client under test sent.
  readonly body: any;
  /** Resolves when the client closed the connection before the answer was complete. */
  readonly closedByClient: Promise<void>;
  text(text: string): void;
  reasoning(text: string): void;
  toolCall(id: string, name: string, parameters: unknown): void;
  /** The last chunks: finish reason, usage, `[DONE]`. */
  finish(reason?: string, usage?: { prompt_tokens: number; completion_tokens: number; total_tokens: number }): void;
  /** A `data:` line as it is. */
  raw(data: string): void;
  /** An answer that is no stream. */
  refuse(status: number, body: string, headers?: Record<string, string>): void;
  /** Destroys the socket. */
  cut(): void;
  /** Ends the response as if nothing were missing. */
  end(): void;
}

export interface OpenAiServer extends AsyncDisposable {
  readonly baseUrl: string;
  /** Every request so far, oldest first. */
  readonly exchanges: readonly Exchange[];
  /** Answers the next request that no script was given for yet. */
  script(answer: (exchange: Exchange) => void | Promise<void>): void;
}

/** A small OpenAI-compatible chat server on 127.0.0.1 that does what a test scripts, one script a request. */
export async function startOpenAiServer(): Promise<OpenAiServer> {
  const exchanges: Exchange[] = [];
  const scripts: ((exchange: Exchange) => void | Promise<void>)[] = [];
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      const exchange = exchangeOf(request.url ?? '', request.headers, Buffer.concat(pieces).toString(), response);
      exchanges.push(exchange);
      const answer = scripts.shift();
      if (answer === undefined) return exchange.refuse(500, '{"error":{"message":"no script for this request"}}');
      Promise.resolve(answer(exchange)).catch((error: unknown) =>
        exchange.refuse(500, JSON.stringify({ error: { message: `script failed: ${String(error)}` } })),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    exchanges,
    script: (answer) => void scripts.push(answer),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function exchangeOf(path: string, headers: IncomingHttpHeaders, body: string, response: ServerResponse): Exchange {
  const send = (data: string) => {
    if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(`data: ${data}\n\n`);
  };
  const delta = (fields: object, finish_reason: string | null = null, more: object = {}) =>
    send(
      JSON.stringify({
        id: 'chat-1',
        object: 'chat.completion.chunk',
        created: 1,
        model: 'test-model',
        choices: [{ index: 0, delta: fields, finish_reason }],
        ...more,
      }),
    );
  return {
    path,
    headers,
    body: JSON.parse(body),
    closedByClient: new Promise((resolve) => response.on('close', () => !response.writableFinished && resolve())),
    text: (content) => delta({ content }),
    reasoning: (reasoning_content) => delta({ reasoning_content }),
    toolCall: (id, name, parameters) => delta({ tool_calls: [{ index: 0, id, type: 'function', function: { name, arguments: JSON.stringify(parameters) } }] }),
    finish(reason = 'stop', usage = { prompt_tokens: 7, completion_tokens: 5, total_tokens: 12 }) {
      delta({}, reason);
      send(JSON.stringify({ id: 'chat-1', object: 'chat.completion.chunk', created: 1, model: 'test-model', choices: [], usage }));
      send('[DONE]');
      response.end();
    },
    raw: send,
    refuse: (status, text, more = {}) => response.writeHead(status, { 'content-type': 'application/json', ...more }).end(text),
    cut: () => response.socket?.destroy(),
    end: () => response.end(),
  };
}
