// The rules for Prometheus and the page for operators, from the table of alerts.
import { stringify } from 'yaml';
import { duration, expressionOf, selector } from '../../src/telemetry/alert-expression.ts';
import { alertsOf, runbookOf } from '../../src/telemetry/alerts.ts';
import { HANDBOOK } from './alert-handbook.mjs';

const ALERTS = alertsOf();
/** How long no gateway at all may be seen, so that a Prometheus that has just started wakes nobody. */
const ABSENT_FOR_MS = 60_000;

/** deploy/prometheus/spillway.rules.yaml */
export function rulesFile() {
  const rules = ALERTS.flatMap((alert) => [ruleOf(alert), ...(alert.absent === undefined ? [] : [absentRule(alert)])]);
  return `# Made from src/telemetry/alerts.ts by scripts/generate-operations.mjs; change it there.
# They expect a scrape every 15 s or oftener.
${stringify({ groups: [{ name: 'spillway', interval: '15s', rules }] }, { lineWidth: 0 })}`;
}

function ruleOf(alert) {
  return {
    alert: alert.name,
    expr: expressionOf(alert),
    ...(alert.forMs === 0 ? {} : { for: duration(alert.forMs) }),
    ...aboutOf(alert, `Threshold: ${alert.threshold}. Now: {{ $value | humanize }}.`),
  };
}

function absentRule(alert) {
  return {
    alert: alert.name,
    expr: `absent(${selector({ metric: alert.absent })})`,
    for: duration(ABSENT_FOR_MS),
    ...aboutOf(alert, 'Prometheus sees no gateway at all.', { cause: 'absent' }),
  };
}

const aboutOf = ({ name, severity, summary }, description, labels = {}) => ({
  labels: { severity, ...labels },
  annotations: { summary, description, runbook: runbookOf({ name }) },
});

/** docs/operations/alerts.md */
export function alertsPage() {
  return `# Alerts

<!-- Made from src/telemetry/alerts.ts and scripts/operations/alert-handbook.mjs by scripts/generate-operations.mjs; change it there. -->

One table gives all of them: every gateway evaluates them itself every 5 s over its own metrics (\`spillway alerts\` and the dashboard show them,
\`GET alerts\` tells them, the log has a line when one begins and ends), and
[deploy/prometheus/spillway.rules.yaml](../../deploy/prometheus/spillway.rules.yaml) has the same conditions for Prometheus.

- **page** wakes somebody: people are hurt, or will be soon. **ticket** is for the next working day.
- A gateway's own evaluation sees that gateway alone and begins at 0 with its process; with several gateways, Prometheus sees all.
- An alert that is absolute (no "for") fires within 15 s of its cause.
- Without a Prometheus: \`alerts.webhook\` is told by POST when an alert begins and ends
  ([what it is told](#the-webhook)).

Commands ask the gateway on this machine with the key of its data folder; \`--url\` and \`SPILLWAY_ADMIN_TOKEN\` name another. What they show is
also at \`GET /admin/api/v1/…\`:

\`\`\`sh
curl -s -H "Authorization: Bearer $SPILLWAY_ADMIN_TOKEN" http://127.0.0.1:8788/admin/api/v1/status
\`\`\`

| alert | severity | fires | |
| --- | --- | --- | --- |
${ALERTS.map(({ name, severity, threshold, summary }) => `| [${name}](#${name.toLowerCase()}) | ${severity} | ${threshold.replaceAll('|', '\\|')} | ${summary} |`).join('\n')}

${ALERTS.map(sectionOf).join('\n\n')}

## The webhook

\`alerts.webhook\` names a URL. When an alert begins to fire and when it ends, it gets one POST of JSON:

\`\`\`json
${JSON.stringify(
  {
    kind: 'spillway.alert.v1',
    alert: 'CleanupFailed',
    state: 'firing',
    severity: 'ticket',
    summary: ALERTS.find(({ name }) => name === 'CleanupFailed').summary,
    value: 1,
    threshold: '> 0 in 5 min',
    runbook: runbookOf({ name: 'CleanupFailed' }),
    node: 'gw-1',
    version: '0.1.0',
    at: '2026-11-21T14:02:35.000Z',
  },
  null,
  2,
)}
\`\`\`

\`state\` is \`firing\` or \`resolved\`. Messages come one by one, in order; one that is not taken (no answer within 10 s, a 5xx, 408 or 429) is
tried again after 1 s, then twice as long up to a minute. Other 4xx answers drop that message. 80 messages may wait; beyond that the oldest goes. Nothing
in a gateway waits for it. The URL is treated as a secret: logs and \`spillway config show\` do not tell it.
`;
}

function sectionOf(alert) {
  const { means, people, doing, clears } = HANDBOOK[alert.name];
  return `## ${alert.name}

${alert.severity}: ${alert.threshold}

**What it means.** ${means}

**What people notice.** ${people}

**What to do.**

${doing.map(stepOf).join('\n')}

**When it clears.** ${clears}`;
}

function stepOf([text, command, path], index) {
  const api = path === null ? '' : ` (\`GET ${path}\`)`;
  return `${index + 1}. ${text}${command === null ? '' : ` \`${command}\`${api}`}`;
}
