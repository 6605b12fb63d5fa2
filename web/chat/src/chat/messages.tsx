/** One message of the conversation. */

import { memo } from 'react';
import type { MessagePart, ThreadMessage } from 'spillway/client';
import { Markdown } from '../markdown/markdown.tsx';
import { Thinking, ToolStep } from './steps.tsx';

export interface MessageProps {
  readonly message: ThreadMessage;
  /** Who answers here, and whether it is the built-in demo. */
  readonly agent: { readonly name: string; readonly isDemo: boolean };
}

export const Message = memo(({ message, agent }: MessageProps) =>
  message.role === 'user' ? <OwnMessage message={message} /> : <Answer message={message} agent={agent} />,
);

/** The plain text of a message. */
export function textOf(message: ThreadMessage): string {
  return message.parts.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('');
}

function OwnMessage({ message }: { message: ThreadMessage }) {
  return (
    <article className="message own" aria-label="You">
      <p className="own-text">{textOf(message)}</p>
    </article>
  );
}

function Answer({ message, agent }: MessageProps) {
  const { parts, status } = message;
  const isStreaming = status === 'streaming';
  return (
    <article className="message answer" data-status={status} aria-label={agent.name} aria-busy={isStreaming}>
      <p className="author">
        {agent.name}
        {agent.isDemo && (
          <span className="badge" title="It comes with Spillway and works without a network. It is not a language model.">
            built-in demo
          </span>
        )}
      </p>
      {parts.map((part, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: parts are only ever added at the end
        <Part key={index} part={part} isLast={index === parts.length - 1} isStreaming={isStreaming} />
      ))}
      {isStreaming && parts.length === 0 && (
        <p className="waiting" role="img" aria-label="The answer is on its way">
          <span />
          <span />
          <span />
        </p>
      )}
      {status === 'cancelled' && <p className="ending">You stopped this answer.</p>}
      {status === 'failed' && <p className="ending">This answer did not finish.</p>}
    </article>
  );
}

function Part({ part, isLast, isStreaming }: { part: MessagePart; isLast: boolean; isStreaming: boolean }) {
  switch (part.type) {
    case 'text':
      return <Markdown text={part.text} growing={isLast && isStreaming} />;
    case 'reasoning':
      return <Thinking text={part.text} isActive={isLast && isStreaming} />;
    case 'tool':
      return <ToolStep part={part} isAbandoned={!isStreaming} />;
    case 'file':
      return <p className="muted">A file ({part.mediaType})</p>;
  }
}
