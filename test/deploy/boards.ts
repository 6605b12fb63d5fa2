/** The Grafana boards: that they can be imported anywhere, and that each of their expressions finds data. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DEPLOY } from './check.ts';

interface Panel {
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly datasource?: { readonly uid: string };
  readonly targets?: readonly { readonly expr: string; readonly datasource: { readonly uid: string } }[];
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } };
}
interface Board {
  readonly id: null;
  readonly uid: string;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly type: string }[] };
}

const FOLDER = join(DEPLOY, 'grafana');
const VARIABLE = `\${datasource}`;

export function readBoards(): readonly Board[] {
  const names = readdirSync(FOLDER).filter((name) => name.endsWith('.json'));
  return names.map((name) => JSON.parse(readFileSync(join(FOLDER, name), 'utf8')) as Board);
}

const panelsOf = (board: Board): readonly Panel[] => board.panels.filter(({ type }) => type !== 'row');

/** What keeps a board from being imported, or a panel from being understood. */
export function problemsOf(board: Board): readonly string[] {
  const problems: string[] = [];
  const expect = (holds: boolean, what: string): unknown => holds || problems.push(`${board.uid}: ${what}`);
  expect(board.id === null, 'its id is not null: it would overwrite another board');
  expect(/^spillway-[a-z]+$/.test(board.uid), 'its uid is not fixed');
  expect(!('__inputs' in board), 'it asks questions at import');
  expect(
    board.templating.list.some(({ name, type }) => name === 'datasource' && type === 'datasource'),
    'its data source is no variable',
  );
  for (const panel of panelsOf(board)) {
    const sources = [panel.datasource, ...(panel.targets ?? []).map(({ datasource }) => datasource)];
    expect(
      sources.every((source) => source?.uid === VARIABLE),
      `“${panel.title}” names a data source of its own`,
    );
    expect(panel.fieldConfig?.defaults.unit !== undefined, `“${panel.title}” has no unit`);
    expect((panel.description ?? '') !== '', `“${panel.title}” does not say what it shows`);
    expect((panel.targets ?? []).length > 0, `“${panel.title}” asks nothing`);
  }
  return problems;
}

/** Every expression of a board with its variables filled in, as Grafana would: everything, over 30 s. */
export function expressionsOf(board: Board): readonly { readonly panel: string; readonly expr: string }[] {
  return panelsOf(board).flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }) => ({
      panel: `${board.uid} “${title}”`,
      expr: expr.replaceAll('$job', '.*').replaceAll('$instance', '.*').replaceAll('$__rate_interval', '30s'),
    })),
  );
}
