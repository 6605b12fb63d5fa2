import { createHash } from 'node:crypto';
import type { StreamEvent, ThreadEvent } from '../../client/index.ts';
import type { Told, ToldAnswer } from './tab-messages.ts';

/** What a tab is told of one thread, checked as it comes: offsets rise, and the pieces of an answer are what its end says it was. */
export class Story {
  #events = 0;
  #offset = -1;
  #epoch = '';
  #gaps = 0;
  #characters = 0;
  readonly #all = createHash('sha256');
  readonly #pieces = new Map<string, string>();
  readonly #answers: Record<string, ToldAnswer> = {};
  readonly #faults: string[] = [];

  get told(): Told {
    return {
      events: this.#events,
      offset: this.#offset,
      characters: this.#characters,
      sum: this.#all.copy().digest('base64url'),
      answers: this.#answers,
      faults: this.#faults,
      gaps: this.#gaps,
    };
  }

  /** True if an answer has come to its end with it. */
  take({ position, data }: StreamEvent<ThreadEvent>): boolean {
    if (position.epoch !== this.#epoch) {
      this.#epoch = position.epoch;
      this.#offset = -1;
    }
    if (position.offset <= this.#offset) this.#faults.push(`offset ${position.offset} came behind ${this.#offset}`);
    this.#offset = position.offset;
    this.#events++;
    switch (data.type) {
      case undefined:
        for (const part of data.parts) if (part.type === 'text') this.#note(part.text);
        return false;
      case 'text_delta':
        this.#note(data.text);
        this.#pieces.set(data.run_id, (this.#pieces.get(data.run_id) ?? '') + data.text);
        return false;
      case 'agent_completed':
        this.#end(data.run_id, data.status, data.final_response);
        return true;
      case 'agent_error':
        this.#end(data.run_id, 'failed', undefined);
        return true;
      // Steps on the way: their offsets count, and nothing of them is put together.
      case 'agent_started':
      case 'agent_thinking':
      case 'tool_executing':
      case 'tool_completed':
        return false;
    }
  }

  /** Part of it cannot be told any more. */
  gap(): void {
    this.#gaps++;
  }

  #note(text: string): void {
    this.#characters += text.length;
    this.#all.update(text);
  }

  #end(run: string, status: string, whole: string | undefined): void {
    const text = this.#pieces.get(run) ?? '';
    if (this.#answers[run] !== undefined) this.#faults.push('an answer ended twice');
    if (whole !== undefined && whole !== text) this.#faults.push(`the pieces make ${text.length} characters, the whole answer has ${whole.length}`);
    this.#answers[run] = { status, characters: text.length, sum: createHash('sha256').update(text).digest('base64url') };
  }
}
