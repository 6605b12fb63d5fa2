import { CLOSE, closeFor, returnOf } from '../../src/protocol/close-codes.ts';
import { END_REASONS, EVICT_REASONS, PEOPLE_REASONS, RETRY_REASONS, TRANSPORT_REASONS } from '../../src/protocol/reasons.ts';
import { cell, code, madeFrom, table } from './markdown.mjs';

const RETURNS = {
  now: 'at once, with its position',
  after: 'after the time in `t`',
  user: 'when the person asks',
  never: 'not as it stands',
};

/** docs/close-codes.md, from the table of close codes. */
export function closeCodesPage() {
  const reasons = [...END_REASONS, ...EVICT_REASONS, ...PEOPLE_REASONS, ...RETRY_REASONS, ...TRANSPORT_REASONS];
  const rows = Object.values(CLOSE).map((close) => [
    String(close.code),
    `\`${close.name}\``,
    RETURNS[returnOf(close.code)],
    cell(close.text),
    code(reasons.filter((reason) => closeFor(reason).code === close.code)),
  ]);
  return `# Close codes

${madeFrom('src/protocol/close-codes.ts')}

The range alone decides when a client comes back: 40xx at once, 41xx after the named time, 42xx when the person asks, 45xx not at all as
things stand. A code that a client has never heard of is read by its range. The reason of the close frame spells it out:
\`<name>;r=<return>;t=<ms>\`, and \`;c=<reason code>\` where there is one. The rules for clients are in [PROTOCOL.md](../PROTOCOL.md#8-leaving-and-close-codes).

${table(['code', 'name', 'the client comes back', 'what a person reads', 'reason codes behind it'], rows)}
`;
}
