import { LOG_EVENTS } from '../../src/ports/log-events.ts';
import { EVENTS } from '../../src/telemetry/event-table.ts';
import { cell, code, madeFrom, table } from './markdown.mjs';

/** docs/events.md, from the tables of events and of log records. */
export function eventsPage() {
  const events = Object.entries(EVENTS).map(([name, { channel, tells }]) => [`\`${name}\``, channel === null ? '' : `\`spillway:${channel}\``, cell(tells)]);
  const records = Object.entries(LOG_EVENTS).map(([name, { severity, means }]) => [`\`${name}\``, code([severity].flat()), cell(means)]);
  return `# Events and log records

${madeFrom('src/telemetry/event-table.ts and src/ports/log-events.ts')}

No event and no record holds what a message says, or a credential. What an agent or the endpoint of a model says of its own failure is
written as it came, in \`agent-failed\` and \`model-failed\`.

## Events

\`gateway.on(name, listener)\` and \`factory.on(name, listener)\` tell of them in this process, at the instant at which they happen. Those with
a channel are published on it too, by \`node:diagnostics_channel\`, as \`{ name, event }\`; that costs nothing while nobody subscribes:

\`\`\`js
import { subscribe } from 'node:diagnostics_channel';

subscribe('spillway:cleanup', ({ name, event }) => {
  if (name === 'cleanup-finished') console.log(event.victims.length, 'seats freed');
});
\`\`\`

${table(['event', 'channel', 'what it tells'], events)}

## Log records

One JSON object a line on standard output, with \`severity\`, \`time\`, \`event\` from this list, \`message\` in words, and fields of its own.
\`logging.format: gcp\`, which is the default on Google Cloud, writes the trace of a record under the names that Cloud Logging reads, and each
cleanup as an operation; \`json\` writes \`trace_id\` and \`span_id\`. A record has a trace where the client sent a \`traceparent\`.

Each cleanup pass leaves exactly one record. These find an incident in which seats are short and nothing is freed:

\`\`\`sh
jq -c 'select(.event == "cleanup-finished" and .cleanup.result != "enough") | [.time, .cleanup.user, .cleanup.before, .message]'
jq -c 'select(.severity == "CRITICAL")'
\`\`\`

In Cloud Logging: \`jsonPayload.event="cleanup-finished" AND jsonPayload.cleanup.result!="enough"\`.

${table(['event', 'severity', 'what it means'], records)}
`;
}
