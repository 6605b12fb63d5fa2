// Many persons in a process of their own, told over IPC what to do. They compare what they applied with the log themselves.

import { answer } from '../../bench/helper.ts';
import { check } from '../support/lossless/checker.ts';
import { entriesOf, toldLog } from '../support/lossless/logged.ts';
import type { Findings, Logged } from '../support/lossless/records.ts';
import { type Happening, Person, type PersonOptions } from './person.ts';

/** What became of one person in one conversation. */
export interface PersonReport {
  readonly name: string;
  readonly user: string;
  readonly thread: string;
  readonly findings: Findings;
  readonly happenings: readonly Happening[];
  /** Starts and ends of the runs in the log. */
  readonly runs: Readonly<Record<string, { readonly starts: number; readonly ends: readonly string[] }>>;
  /** Numbers of events that the log jumps over: said between two that it has. */
  readonly jumped: readonly number[];
}

const people = new Map<string, Person>();
const tokens = new Map<string, string>();
const named = (name: string): Person => {
  const person = people.get(name);
  if (person === undefined) throw new Error(`Expected a person of this process, got ${name}.`);
  return person;
};

/** `url`: where the log is read. */
async function reportOf(person: Person, url: string): Promise<PersonReport> {
  const logged: Logged[] = [];
  const runs: Record<string, { starts: number; ends: string[] }> = {};
  const token = tokens.get(person.name) ?? '';
  for await (const frame of toldLog({ url, token, thread: person.thread })) {
    if (frame.told.type === 'event') logged.push(...entriesOf(frame));
    const data = frame.told.data as { readonly type?: string; readonly run_id?: string; readonly status?: string; readonly code?: string } | undefined;
    if (data?.run_id === undefined) continue;
    runs[data.run_id] ??= { starts: 0, ends: [] };
    const run = runs[data.run_id] as { starts: number; ends: string[] };
    if (data.type === 'agent_started') run.starts++;
    if (data.type === 'agent_completed' || data.type === 'agent_error') run.ends.push(data.code ?? data.status ?? data.type);
  }
  const { name, user, thread, lines, happenings } = person;
  return { name, user, thread, findings: check({ user, logged, lines }), happenings, runs, jumped: jumpedIn(logged) };
}

function jumpedIn(logged: readonly Logged[]): readonly number[] {
  const there = new Set(logged.flatMap(({ number }) => number ?? []));
  return Array.from({ length: Math.max(0, ...there) }, (_, i) => i + 1).filter((number) => !there.has(number));
}

/** Whether this person has asked, and has seen the end of the answer. */
const isAnswered = ({ happenings }: Person): boolean =>
  happenings.some((asked) => asked.is === 'accepted' && happenings.some((end) => end.is === 'ended' && end.run === asked.run));

/** Last offset that this person has applied. */
const appliedTo = ({ lines }: Person): number => lines.reduce((most, line) => (line.is === 'applied' ? Math.max(most, line.to) : most), 0);

answer({
  open(options: readonly PersonOptions[]) {
    for (const option of options) {
      tokens.set(option.name, option.token);
      people.set(option.name, new Person(option));
    }
  },
  follow({ threads, asks }: { readonly threads: Readonly<Record<string, string>>; readonly asks: Readonly<Record<string, string>> }) {
    for (const [name, thread] of Object.entries(threads)) named(name).follow(thread);
    for (const [name, text] of Object.entries(asks)) named(name).ask(text);
  },
  ask({ name, text }: { readonly name: string; readonly text: string }) {
    named(name).ask(text);
  },
  standing: () =>
    [...people.values()].map((person) => ({
      name: person.name,
      state: person.client.state.name,
      applied: person.applied,
      to: appliedTo(person),
      ended: person.happenings.filter(({ is }) => is === 'ended').length,
      isAnswered: isAnswered(person),
    })),
  async reports({ url }: { readonly url: string }) {
    const reports: PersonReport[] = [];
    for (const person of people.values()) reports.push(await reportOf(person, url));
    return reports;
  },
  async reload({ names }: { readonly names: readonly string[] }) {
    await Promise.all(names.flatMap((name) => people.get(name)?.reload() ?? []));
  },
  async leave() {
    await Promise.all([...people.values()].map((person) => person.leave()));
    people.clear();
  },
});
