/** The message box. Enter sends, Shift+Enter makes a new line, Escape stops the answer. */

import { type FormEvent, type KeyboardEvent, type RefObject, useLayoutEffect } from 'react';
import { SendIcon, StopIcon } from '../ui/icons.tsx';

export interface ComposerProps {
  readonly box: RefObject<HTMLTextAreaElement | null>;
  readonly draft: string;
  /** An answer is under way and can be stopped. */
  readonly isAnswering: boolean;
  readonly note: string;
  onChange(text: string): void;
  onSend(): void;
  onStop(): void;
}

const MAX_HEIGHT_PX = 220;
/** The pointer is a finger: Enter makes a new line there, as everywhere on such a keyboard, and there is no Escape. */
export const isTouch = (): boolean => matchMedia('(pointer: coarse) and (hover: none)').matches;

export function Composer({ box, draft, isAnswering, note, onChange, onSend, onStop }: ComposerProps) {
  // biome-ignore lint/correctness/useExhaustiveDependencies: the height follows the text
  useLayoutEffect(() => {
    const area = box.current;
    if (area === null) return;
    area.style.height = 'auto';
    area.style.height = `${Math.min(area.scrollHeight, MAX_HEIGHT_PX)}px`;
  }, [draft, box]);

  const submit = (event: FormEvent): void => {
    event.preventDefault();
    onSend();
    box.current?.focus();
  };
  const keyDown = (event: KeyboardEvent): void => {
    // Enter also ends the composing of Chinese or Japanese text.
    if (event.key !== 'Enter' || event.shiftKey || event.ctrlKey || event.metaKey || event.altKey || event.nativeEvent.isComposing || isTouch()) return;
    event.preventDefault();
    onSend();
  };

  return (
    <form className="composer" onSubmit={submit}>
      <div className="composer-box">
        <textarea
          ref={box}
          rows={1}
          aria-label="Your message"
          placeholder="Ask anything"
          value={draft}
          enterKeyHint={isTouch() ? 'enter' : 'send'}
          onChange={(event) => onChange(event.target.value)}
          onKeyDown={keyDown}
        />
        {isAnswering && (
          <button type="button" className="round stop" onClick={onStop} aria-label="Stop the answer" title="Stop (Esc)">
            <StopIcon />
          </button>
        )}
        {(!isAnswering || draft.trim() !== '') && (
          <button type="submit" className="round send" disabled={draft.trim() === ''} aria-label="Send" title="Send (Enter)">
            <SendIcon />
          </button>
        )}
      </div>
      <p className="composer-note">{note}</p>
    </form>
  );
}
