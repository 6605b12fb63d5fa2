import type { DrillRun } from '../admin/index.ts';

/** A drill as JUnit XML: one test case for each thing that must happen. */
export function junit({ name, user, count, state, startedAt, endedAt, steps, expectations }: DrillRun): string {
  const seconds = (((endedAt ?? startedAt) - startedAt) / 1_000).toFixed(3);
  const cases = expectations.map(({ text, ok, seen }) => {
    const head = `    <testcase classname="spillway.drill.${escaped(name)}" name="${escaped(text)}" time="${seconds}"`;
    if (ok === true) return `${head}/>`;
    const inner = ok === null ? `<skipped message="not known when the drill ended"/>` : `<failure message="${escaped(seen)}"/>`;
    return `${head}>${inner}</testcase>`;
  });
  // A drill that was stopped, or failed without a failed expectation, must not look like one that passed.
  const isToldByCases = expectations.some(({ ok }) => ok === false);
  if (state !== 'passed' && !isToldByCases)
    cases.push(`    <testcase classname="spillway.drill.${escaped(name)}" name="comes to its end" time="${seconds}"><failure message="${state}"/></testcase>`);
  const failures = cases.filter((one) => one.includes('<failure')).length;
  const skipped = cases.filter((one) => one.includes('<skipped')).length;
  const log = steps.map(({ atMs, text }) => `${(atMs / 1_000).toFixed(1)} ${text}`).join('\n');
  return `<?xml version="1.0" encoding="UTF-8"?>
<testsuites>
  <testsuite name="spillway drill ${escaped(name)}" tests="${cases.length}" failures="${failures}" errors="0" skipped="${skipped}" time="${seconds}" timestamp="${new Date(startedAt).toISOString().replace(/\.\d+Z$/, 'Z')}">
    <properties><property name="user" value="${escaped(user)}"/><property name="count" value="${count}"/></properties>
${cases.join('\n')}
    <system-out>${escaped(log)}</system-out>
  </testsuite>
</testsuites>
`;
}

const NAMES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** XML knows no control characters but tab and line feed. */
const escaped = (text: string): string => text.replace(/[^\P{Cc}\n\t]/gu, ' ').replace(/[&<>"]/g, (one) => NAMES[one] ?? one);
