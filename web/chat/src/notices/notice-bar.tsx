/** Sentences above the message box. They never block: everything can still be read and typed. */

import { spanText, useNow } from '../ui/clock.ts';
import { CloseIcon } from '../ui/icons.tsx';
import { type ActionName, type Sentence, splitSpan } from './connection-words.ts';

const LABELS: Readonly<Record<ActionName, string>> = {
  'resume-here': 'Resume here',
  'try-now': 'Try now',
  'sign-in': 'Sign in',
  reload: 'Reload',
  choose: 'Choose what to close',
  'close-another': 'Close another session now',
  details: 'Details',
};
/** These are what the person most likely wants next. */
const STRONG: ReadonlySet<ActionName> = new Set(['resume-here', 'sign-in', 'reload']);

export interface NoticeBarProps {
  readonly sentences: readonly Sentence[];
  onAction(name: ActionName, sentence: Sentence): void;
  onDismiss(id: string): void;
}

export function NoticeBar({ sentences, onAction, onDismiss }: NoticeBarProps) {
  return (
    <div className="notices" role="status" aria-live="polite" aria-atomic="false">
      {sentences.map((sentence) => (
        <div key={sentence.id} className="notice" data-level={sentence.level}>
          <p>
            <Running text={sentence.text} until={sentence.until} />
          </p>
          {sentence.progress !== null && <WaitBar {...sentence.progress} />}
          <div className="notice-actions">
            {sentence.actions.map((name) => (
              <button key={name} type="button" className={STRONG.has(name) ? 'primary small' : 'link'} onClick={() => onAction(name, sentence)}>
                {LABELS[name]}
              </button>
            ))}
            {sentence.canDismiss && (
              <button type="button" className="icon-button small" aria-label="Dismiss" onClick={() => onDismiss(sentence.id)}>
                <CloseIcon />
              </button>
            )}
          </div>
        </div>
      ))}
    </div>
  );
}

/** A wait on its way to its end. The sentence beside it says the same in words. */
export function WaitBar({ from, to }: { readonly from: number; readonly to: number }) {
  const now = useNow(200);
  const share = Math.min(1, Math.max(0, (now - from) / Math.max(1, to - from)));
  return (
    <div className="wait-bar" aria-hidden="true" data-share={share.toFixed(2)}>
      <div style={{ transform: `scaleX(${share})` }} />
    </div>
  );
}

/** The sentence with its span of time running down. A screen reader hears the sentence once, not every second. */
export function Running({ text, until }: { text: string; until: number | null }) {
  const parts = until === null ? null : splitSpan(text);
  const now = useNow(1_000, parts !== null);
  if (parts === null || until === null) return <Emphasized text={text} />;
  const left = until - now;
  return (
    <>
      <span aria-hidden="true">
        <Emphasized text={parts.before} />
        <strong className="span">{left > 0 ? spanText(left) : parts.before.endsWith('another ') ? 'moment' : 'a moment'}</strong>
        {parts.after}
      </span>
      <span className="hidden-text">{text}</span>
    </>
  );
}

/** One's number in a queue stands out. */
function Emphasized({ text }: { text: string }) {
  const [before, number, after] = text.split(/(number \d+)/);
  if (number === undefined) return text;
  return (
    <>
      {before}
      <strong>{number}</strong>
      {after}
    </>
  );
}
