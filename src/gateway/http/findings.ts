import type { z } from 'zod';

/** How findings speak of what came: by its kind alone, because a value may be a password, or with the values. */
export type Telling = 'names' | 'values';

type Issue = z.core.$ZodIssue;

/** More than these helps nobody at once. */
const FINDINGS_MAX = 5;
const VALUE_LENGTH_MAX = 100;

/** What is wrong with `value`: of each finding what was expected, what came and where, then what helps. */
export function findingsIn(issues: readonly Issue[], value: unknown, telling: Telling): string {
  // The first of a field says enough: what is too long is not well-formed text of the right length either.
  const ofFields = issues.filter((issue, i) => issues.findIndex((other) => other.path.join('.') === issue.path.join('.')) === i);
  const findings = ofFields.slice(0, FINDINGS_MAX).map((issue) => sentenceOf(issue, value, telling));
  return `${findings.join(' ')} \`openapi.json\` describes every field.`;
}

function sentenceOf(issue: Issue, value: unknown, telling: Telling): string {
  const came = at(value, issue.path);
  const where = issue.path.length === 0 ? 'the request' : `\`${issue.path.join('.')}\``;
  if (issue.code === 'unrecognized_keys') return `Expected ${where} without ${issue.keys.map(quoted).join(', ')}.`;
  return `Expected ${where} to be ${wantedBy(issue)}, got ${nameOf(came, telling)}.`;
}

const at = (value: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>((inner, key) => (typeof inner === 'object' && inner !== null ? (inner as Record<PropertyKey, unknown>)[key] : undefined), value);

const quoted = (value: unknown): string => (typeof value === 'bigint' ? String(value) : JSON.stringify(value));

const KINDS: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
  never: 'left out',
};

function wantedBy(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return KINDS[issue.expected] ?? `of the type ${issue.expected}`;
    case 'too_small':
      return `${issue.inclusive === false ? 'more than' : 'at least'} ${amount(issue.origin, issue.minimum)}`;
    case 'too_big':
      return `${issue.inclusive === false ? 'less than' : 'at most'} ${amount(issue.origin, issue.maximum)}`;
    case 'invalid_format':
      return issue.pattern === undefined ? `in the form ${issue.format}` : `text that matches ${issue.pattern}`;
    case 'invalid_value':
      return `${issue.values.length === 1 ? '' : 'one of '}${issue.values.map(quoted).join(', ')}`;
    case 'custom':
    case 'invalid_union':
    case 'invalid_key':
    case 'invalid_element':
    case 'not_multiple_of':
    case 'unrecognized_keys':
      // Written by our own schemas, as "Expected …".
      return issue.message.replace(/^Expected /, '');
  }
}

function amount(origin: string, bound: number | bigint): string {
  if (origin === 'string') return `${bound} characters`;
  return origin === 'array' ? `${bound} entries` : String(bound);
}

function nameOf(came: unknown, telling: Telling): string {
  if (came === undefined) return 'nothing';
  if (came === null) return 'null';
  if (Array.isArray(came)) return `a list of ${came.length}`;
  if (typeof came === 'object') return 'an object';
  if (telling === 'values') return JSON.stringify(came).slice(0, VALUE_LENGTH_MAX);
  return typeof came === 'string' ? `text of ${came.length} characters` : typeof came === 'number' ? 'another number' : 'true or false';
}
