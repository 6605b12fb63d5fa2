import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Block, parseMarkdown } from '../../web/chat/src/markdown/blocks.ts';
import { type Inline, parseInline, safeHref } from '../../web/chat/src/markdown/inline.ts';

const blocks = (text: string): Block[] => parseMarkdown(text).map((sourced) => sourced.block);
const plain = (text: string): Inline => ({ kind: 'text', text });

/** Everything that the parsed text would show, in order. */
function shown(nodes: readonly Inline[]): string {
  return nodes.map((node) => (node.kind === 'break' ? '\n' : 'text' in node ? node.text : shown(node.children))).join('');
}

function hrefs(nodes: readonly Inline[]): string[] {
  return nodes.flatMap((node) => (node.kind === 'link' ? [node.href, ...hrefs(node.children)] : 'children' in node ? hrefs(node.children) : []));
}

describe('an answer in Markdown', () => {
  it('shows bold, emphasis, code and links', () => {
    expect(parseInline('a **b** *c* `d` [e](https://f.example/)')).toEqual([
      plain('a '),
      { kind: 'strong', children: [plain('b')] },
      plain(' '),
      { kind: 'emphasis', children: [plain('c')] },
      plain(' '),
      { kind: 'code', text: 'd' },
      plain(' '),
      { kind: 'link', href: 'https://f.example/', children: [plain('e')] },
    ]);
  });

  it('keeps names and products as they were typed', () => {
    expect(parseInline('snake_case_name and 2 * 3 * 4')).toEqual([plain('snake_case_name and 2 * 3 * 4')]);
  });

  it('ends an address where the sentence ends', () => {
    expect(parseInline('See https://a.example/b).')).toEqual([
      plain('See '),
      { kind: 'link', href: 'https://a.example/b', children: [plain('https://a.example/b')] },
      plain(').'),
    ]);
  });

  it('reads lists inside of lists, and numbers from where they start', () => {
    const [list] = blocks('3. three\n   - inner\n   - more\n4. four');
    expect(list).toMatchObject({ kind: 'list', ordered: true, start: 3 });
    expect(list?.kind === 'list' && list.items[0]?.[1]).toMatchObject({ kind: 'list', ordered: false });
    expect(list?.kind === 'list' && list.items).toHaveLength(2);
  });

  it('keeps one list together over blank lines', () => {
    expect(blocks('1. a\n\n2. b\n\n3. c\n\nend')).toMatchObject([{ kind: 'list', items: [{}, {}, {}] }, { kind: 'paragraph' }]);
  });

  it('shows a fence that is not closed yet as code', () => {
    expect(blocks('text\n```ts\nconst a = "**no bold**";')).toEqual([
      { kind: 'paragraph', children: [plain('text')] },
      { kind: 'code', language: 'ts', text: 'const a = "**no bold**";' },
    ]);
  });

  it('reads tables, quotations, headings and rules', () => {
    expect(blocks('## Title\n\n> quoted\n\n---\n\n| a | b |\n| --- | --- |\n| 1 | 2 |').map((block) => block.kind)).toEqual([
      'heading',
      'quote',
      'rule',
      'table',
    ]);
  });

  it('never links to anything but pages and mail', () => {
    for (const address of [
      'javascript:alert(1)',
      ' JAVASCRIPT:alert(1)',
      'data:text/html,x',
      'vbscript:x',
      '/me',
      '//evil.example',
      'file:///etc/passwd',
      'https://',
    ]) {
      expect(safeHref(address), address).toBeNull();
      expect(hrefs(parseInline(`[x](${address})`)), address).toEqual([]);
    }
  });

  it('shows markup as text', () => {
    expect(shown(parseInline('<img src=x onerror=alert(1)>'))).toBe('<img src=x onerror=alert(1)>');
  });

  it('loses no word, whatever comes', () => {
    const piece = fc.constantFrom(
      '**',
      '*',
      '_',
      '`',
      '[',
      '](',
      ')',
      '~~',
      '\\',
      '\n',
      ' ',
      'word',
      '# ',
      '- ',
      '1. ',
      '> ',
      '```',
      '|',
      'https://a.example',
      '<',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        const text = pieces.join('');
        const words = (from: string): number => from.split('word').length - 1;
        const all = JSON.stringify(parseMarkdown(text).map((sourced) => sourced.source));
        expect(words(all)).toBe(words(text));
        for (const href of hrefs(parseInline(text))) expect(href).toMatch(/^(https?|mailto):/);
      }),
      { numRuns: 500 },
    );
  });

  it('grows only at its end: finished blocks stay as they are', () => {
    const text = 'First paragraph.\n\n- one\n- two\n\n```js\nlet a;\n```\n\nLast one.';
    const whole = parseMarkdown(text);
    for (let length = 1; length <= text.length; length++) {
      const part = parseMarkdown(text.slice(0, length));
      expect(part.slice(0, -1).map((b) => b.source)).toEqual(whole.slice(0, part.length - 1).map((b) => b.source));
    }
  });

  it('takes long and hostile text in its stride', () => {
    for (const unit of ['**a ', '[', '[a](', '`', '- a\n\n', '> ', '* ', '_a', '|']) {
      const startedAt = performance.now();
      parseMarkdown(unit.repeat(Math.ceil(100_000 / unit.length)));
      expect(performance.now() - startedAt, unit).toBeLessThan(1_500);
    }
  });
});
