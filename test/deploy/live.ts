/** What can be said only of a running gateway under a running Prometheus. */

import { expressionsOf, problemsOf, readBoards } from './boards.ts';
import { type Check, run } from './check.ts';
import type { Scene } from './scene.ts';

interface QueryAnswer {
  readonly status: string;
  readonly error?: string;
  readonly data?: { readonly result?: readonly unknown[] };
}
interface RulesAnswer {
  readonly data: {
    readonly groups: readonly {
      readonly rules: readonly { readonly name: string; readonly health: string; readonly lastError?: string; readonly state: string }[];
    }[];
  };
}

export const liveChecks = (scene: () => Promise<Scene>): readonly Check[] => [
  {
    name: 'promtool check metrics',
    needs: ['prometheus', 'promtool'],
    async run() {
      const text = await (await scene()).metrics();
      // 3: it has something to say of names. Those of the process are the metrics library's, which is known by them.
      const said = run('promtool', ['check', 'metrics'], { input: text, fine: [0, 3] })
        .split('\n')
        .filter((line) => line !== '' && !/^nodejs_active_(handles|requests|resources)_total /.test(line));
      if (said.length > 0) throw new Error(said.join('\n'));
      return `${text.split('\n').filter((line) => line.startsWith('spillway_')).length} series`;
    },
  },
  {
    name: 'rules in a running Prometheus',
    needs: ['prometheus'],
    async run() {
      const { data } = (await (await scene()).prometheus('rules')) as RulesAnswer;
      const rules = data.groups.flatMap((group) => group.rules);
      const broken = rules.filter(({ health }) => health === 'err').map(({ name, lastError }) => `${name}: ${lastError}`);
      if (broken.length > 0 || rules.length === 0) throw new Error(broken.join('\n') || 'No rules were loaded.');
      const firing = rules.filter(({ state }) => state === 'firing').map(({ name }) => name);
      return `${rules.length} rules evaluated, firing: ${firing.join(', ') || 'none'}`;
    },
  },
  {
    name: 'Grafana boards',
    needs: ['prometheus'],
    async run() {
      const boards = readBoards();
      const problems = boards.flatMap(problemsOf);
      const expressions = boards.flatMap(expressionsOf);
      for (const { panel, expr } of expressions) {
        const answer = (await (await scene()).prometheus(`query?query=${encodeURIComponent(expr)}`)) as QueryAnswer;
        if (answer.status !== 'success') problems.push(`${panel}: ${answer.error}: ${expr}`);
        else if ((answer.data?.result?.length ?? 0) === 0) problems.push(`${panel}: no data: ${expr}`);
      }
      if (problems.length > 0) throw new Error(problems.join('\n'));
      return `${boards.length} boards, ${expressions.length} expressions, each with data`;
    },
  },
];
