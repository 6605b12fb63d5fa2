/** A verdict is a glyph, a word and a colour, so that none of them is needed to tell it. */

export const VERDICTS = ['healthy', 'idle', 'suspect', 'zombie', 'inactive', 'unknown'] as const;
export type VerdictName = (typeof VERDICTS)[number];

export const isVerdict = (word: string): word is VerdictName => (VERDICTS as readonly string[]).includes(word);

/** ● healthy ◐ idle ◌ suspect ✕ zombie ○ inactive ? unknown; drawn, so that they look alike in every font. */
export function VerdictGlyph({ verdict }: { verdict: string }) {
  return (
    <svg className="verdict-glyph" data-verdict={verdict} viewBox="0 0 16 16" width="12" height="12" aria-hidden="true" focusable="false">
      {shapeOf(verdict)}
    </svg>
  );
}

function shapeOf(verdict: string) {
  switch (verdict) {
    case 'healthy':
      return <circle cx="8" cy="8" r="6" fill="currentColor" />;
    case 'idle':
      return (
        <>
          <circle cx="8" cy="8" r="5.2" fill="none" stroke="currentColor" strokeWidth="1.8" />
          <path d="M8 2.8a5.2 5.2 0 0 0 0 10.4z" fill="currentColor" />
        </>
      );
    case 'suspect':
      return <circle cx="8" cy="8" r="5.2" fill="none" stroke="currentColor" strokeWidth="2.2" strokeDasharray="2.6 2.1" />;
    case 'zombie':
      return <path d="M3.4 3.4l9.2 9.2M12.6 3.4l-9.2 9.2" stroke="currentColor" strokeWidth="2.6" strokeLinecap="round" />;
    case 'inactive':
      return <circle cx="8" cy="8" r="5.2" fill="none" stroke="currentColor" strokeWidth="1.8" />;
    default:
      return <path d="M5 5.6a3 3 0 1 1 4.3 2.7c-.8.4-1.3 1-1.3 1.9M8 13.2v.2" fill="none" stroke="currentColor" strokeWidth="2.2" strokeLinecap="round" />;
  }
}

export function Verdict({ verdict, reason }: { verdict: string; reason?: string }) {
  return (
    <span className="verdict">
      <VerdictGlyph verdict={verdict} />
      <span>{verdict}</span>
      {reason !== undefined && <span className="muted">{reason}</span>}
    </span>
  );
}
