import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ERROR_STATUS, isRetryable } from '../../src/protocol/errors.ts';
import { root } from '../fingerprint.mjs';
import { madeFrom, table } from './markdown.mjs';

/** When the library throws one of these. */
const THROWN = {
  SPILLWAY_BAD_OPTION: 'An option is unknown or has a value that it cannot have. All that are wrong are named in one message.',
  SPILLWAY_BAD_ARGUMENT: 'A call got something that it cannot take.',
  SPILLWAY_CLOSED: 'A call came after the object was closed.',
  SPILLWAY_STORE_UNAVAILABLE: 'The store did not answer; nothing is known of the effect. The call may be repeated.',
  SPILLWAY_STORE_BROKEN: 'The store cannot serve such a call, or its data are not what they should be.',
  SPILLWAY_PORT_IN_USE: 'Another program listens at the address.',
  SPILLWAY_OUTBOX_FULL: 'A client holds as many unsent messages as it may.',
  SPILLWAY_REFUSED: 'A client’s request was refused; the message says why.',
  SPILLWAY_NODE_VERSION: 'This Node.js is too old.',
  SPILLWAY_MISSING_PACKAGE: 'An optional package is needed and not installed; the message has the line that installs it.',
  SPILLWAY_AGENT_FAILED: 'Thrown by an agent: its run fails with this message.',
  SPILLWAY_BUSY: 'Something of which there is only one is under way already, such as a drill.',
  SPILLWAY_ISSUER_UNAVAILABLE: 'The issuer of tokens cannot be asked for its keys.',
};

/** docs/errors.md, from the tables of errors. */
export function errorsPage() {
  const source = readFileSync(join(root, 'src/protocol/errors.ts'), 'utf8');
  const codes = [...source.matchAll(/^ {2}\| '(SPILLWAY_[A-Z_]+)'/gm)].map(([, name]) => name);
  const unknown = codes.filter((name) => THROWN[name] === undefined);
  if (unknown.length > 0) throw new Error(`scripts/docs/errors-page.mjs says nothing of ${unknown.join(', ')}.`);
  const rows = Object.entries(ERROR_STATUS).map(([name, status]) => [`\`${name}\``, String(status), isRetryable(name) ? 'yes' : 'no']);
  return `# Errors

${madeFrom('src/protocol/errors.ts')}

## Of requests and frames

HTTP answers with \`application/problem+json\` whose \`code\` is one of these; a frame that was refused is answered with the frame \`error\` and
the same code. \`detail\` says what was expected, what came and what helps. 429 and 503 name a time in \`retryAfterMs\`. The limit of seats never
makes an error: whoever finds it full is seated, or waits.

${table(['code', 'status', 'the same again may succeed'], rows)}

## Of the library

It throws one class, \`SpillwayError\`, with a \`code\` and with \`retry\`: \`now\`, \`later\` or \`never\`. \`SpillwayError.is(error)\` knows it across
copies of the package.

${table(
  ['code', 'when'],
  codes.map((name) => [`\`${name}\``, THROWN[name]]),
)}
`;
}
