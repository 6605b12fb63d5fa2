/** One event of a stream of server-sent events. */
export interface StreamedEvent {
  readonly id: string;
  readonly event: string;
  readonly data: string;
}

/** The events of a body of server-sent events, as they come. Ends with the body. */
export async function* streamedEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<StreamedEvent, void, undefined> {
  const decoder = new TextDecoder();
  let rest = '';
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      rest += decoder.decode(value, { stream: true });
      const blocks = rest.split('\n\n');
      rest = blocks.pop() ?? '';
      for (const block of blocks) {
        const event = read(block);
        if (event !== null) yield event;
      }
    }
  } finally {
    await reader.cancel().catch(() => {}); // The stream is over, or nobody listens any more.
  }
}

/** Null for a comment, which only keeps the line alive. */
function read(block: string): StreamedEvent | null {
  let [id, event, data] = ['', 'message', null as string | null];
  for (const line of block.split('\n')) {
    const [, field, value = ''] = /^(\w+)(?:: ?(.*))?$/.exec(line) ?? [];
    if (field === 'id') id = value;
    else if (field === 'event') event = value;
    else if (field === 'data') data = data === null ? value : `${data}\n${value}`;
  }
  return data === null ? null : { id, event, data };
}
