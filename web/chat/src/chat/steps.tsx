/** What the agent does on its way to the answer: its thinking and its tools, as they happen. */

import { memo, useState } from 'react';
import type { MessagePart } from 'spillway/client';
import { ChevronIcon, ThinkingIcon, ToolIcon } from '../ui/icons.tsx';
import { answeredInLine, askedInLine, citationsOf, fullValue, toolTitle } from './tool-results.ts';

/** Open while the agent thinks, closed afterwards; whoever opens or closes it has the last word. */
export const Thinking = memo(({ text, isActive }: { text: string; isActive: boolean }) => {
  const [chosen, setChosen] = useState<boolean | null>(null);
  const isOpen = chosen ?? isActive;
  return (
    <div className="step thinking" data-active={isActive}>
      <button type="button" className="step-head" aria-expanded={isOpen} onClick={() => setChosen(!isOpen)}>
        <ThinkingIcon />
        <span className="step-title">{isActive ? 'Thinking…' : 'Thought about it'}</span>
        <ChevronIcon />
      </button>
      {isOpen && <p className="step-body thoughts">{text}</p>}
    </div>
  );
});

type ToolPart = Extract<MessagePart, { type: 'tool' }>;

/** `isAbandoned`: the answer ended before the tool did. */
export const ToolStep = memo(({ part, isAbandoned }: { part: ToolPart; isAbandoned: boolean }) => {
  const [isOpen, setOpen] = useState(false);
  const state = part.success === undefined ? (isAbandoned ? 'stopped' : 'running') : part.success ? 'done' : 'failed';
  const citations = part.success === true ? citationsOf(part.results) : [];
  const summary = citations.length > 0 ? '' : answeredInLine(part.results);
  return (
    <div className="step tool" data-state={state} data-active={state === 'running'}>
      <button type="button" className="step-head" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        <ToolIcon />
        <span className="step-title">{toolTitle(part.toolName)}</span>
        <span className="step-value">{askedInLine(part.parameters)}</span>
        <span className="step-state">{STATE_WORDS[state]}</span>
        <ChevronIcon />
      </button>
      {!isOpen && state !== 'running' && summary !== '' && <p className="step-summary">{summary}</p>}
      {citations.length > 0 && (
        <ol className="citations" aria-label="Sources">
          {citations.map((citation, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: the list never changes
            <li key={index} data-number={citation.number} title={citation.excerpt ?? undefined}>
              {citation.href === null ? (
                <span>{citation.title}</span>
              ) : (
                <a href={citation.href} target="_blank" rel="noopener noreferrer nofollow">
                  {citation.title}
                </a>
              )}
            </li>
          ))}
        </ol>
      )}
      {isOpen && (
        <dl className="step-body">
          {part.parameters !== undefined && (
            <>
              <dt>Asked with</dt>
              <dd>
                <pre>{fullValue(part.parameters)}</pre>
              </dd>
            </>
          )}
          {part.results !== undefined && (
            <>
              <dt>Result</dt>
              <dd>
                <pre>{fullValue(part.results)}</pre>
              </dd>
            </>
          )}
        </dl>
      )}
    </div>
  );
});

const STATE_WORDS = { running: 'working…', done: 'done', failed: 'did not work', stopped: 'stopped' } as const;
