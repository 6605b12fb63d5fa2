/** Shows an answer. Only React elements are made, never HTML from text; the policy of the page would stop a script anyway. */

import { memo, type ReactNode, useMemo, useState } from 'react';
import { type Block, parseMarkdown, type SourcedBlock } from './blocks.ts';
import type { Inline } from './inline.ts';

/** `text` as Markdown. While it grows, only the blocks that changed are drawn again. */
export function Markdown({ text, growing = false }: { text: string; growing?: boolean }) {
  const blocks = useMemo(() => parseMarkdown(text), [text]);
  return (
    <div className={growing ? 'markdown growing' : 'markdown'}>
      {blocks.map((sourced, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a growing text only ever changes at its end
        <SourcedView key={index} sourced={sourced} />
      ))}
    </div>
  );
}

const SourcedView = memo(
  ({ sourced }: { sourced: SourcedBlock }) => <BlockView block={sourced.block} />,
  (before, after) => before.sourced.source === after.sourced.source,
);

function BlockView({ block }: { block: Block }) {
  switch (block.kind) {
    case 'paragraph':
      return (
        <p>
          <Inlines nodes={block.children} />
        </p>
      );
    case 'heading': {
      // The page itself owns the first two levels.
      const Tag = block.level <= 2 ? 'h3' : block.level === 3 ? 'h4' : 'h5';
      return (
        <Tag>
          <Inlines nodes={block.children} />
        </Tag>
      );
    }
    case 'code':
      return <CodeView language={block.language} text={block.text} />;
    case 'quote':
      return (
        <blockquote>
          <Blocks blocks={block.blocks} />
        </blockquote>
      );
    case 'list': {
      const items = block.items.map((item, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: items have no other identity
        <li key={index}>{item.length === 1 && item[0]?.kind === 'paragraph' ? <Inlines nodes={item[0].children} /> : <Blocks blocks={item} />}</li>
      ));
      return block.ordered ? <ol start={block.start}>{items}</ol> : <ul>{items}</ul>;
    }
    case 'table':
      return <TableView head={block.head} rows={block.rows} />;
    case 'rule':
      return <hr />;
  }
}

function Blocks({ blocks }: { blocks: readonly Block[] }) {
  // biome-ignore lint/suspicious/noArrayIndexKey: blocks have no other identity
  return blocks.map((block, index) => <BlockView key={index} block={block} />);
}

type Cells = readonly (readonly Inline[])[];

function TableView({ head, rows }: { head: Cells; rows: readonly Cells[] }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section className="table-scroll" tabIndex={0} aria-label="Table">
      <table>
        <thead>
          <tr>
            {head.map((cell, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: columns have no other identity
              <th key={index} scope="col">
                <Inlines nodes={cell} />
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: rows have no other identity
            <tr key={index}>
              {head.map((_, column) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: columns have no other identity
                <td key={column}>
                  <Inlines nodes={row[column] ?? []} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

const COPIED_FOR_MS = 1_600;

function CodeView({ language, text }: { language: string; text: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
      setCopied(true);
      setTimeout(() => setCopied(false), COPIED_FOR_MS);
    } catch {
      // The browser forbids the clipboard here; the text can still be selected.
    }
  };
  return (
    <figure className="code">
      <figcaption>
        <span>{language || 'text'}</span>
        <button type="button" className="quiet small" onClick={() => void copy()}>
          {copied ? 'Copied' : 'Copy'}
        </button>
      </figcaption>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <pre tabIndex={0}>
        <code>{text}</code>
      </pre>
    </figure>
  );
}

function Inlines({ nodes }: { nodes: readonly Inline[] }) {
  // biome-ignore lint/suspicious/noArrayIndexKey: pieces of a text have no other identity
  return nodes.map((node, index) => <InlineView key={index} node={node} />);
}

function InlineView({ node }: { node: Inline }): ReactNode {
  switch (node.kind) {
    case 'text':
      return node.text;
    case 'break':
      return <br />;
    case 'code':
      return <code>{node.text}</code>;
    case 'link':
      return (
        <a href={node.href} target="_blank" rel="noopener noreferrer nofollow">
          <Inlines nodes={node.children} />
        </a>
      );
    case 'strong':
      return (
        <strong>
          <Inlines nodes={node.children} />
        </strong>
      );
    case 'emphasis':
      return (
        <em>
          <Inlines nodes={node.children} />
        </em>
      );
    case 'strike':
      return (
        <s>
          <Inlines nodes={node.children} />
        </s>
      );
  }
}
