// The parts of a Grafana board: panels in rows, queries over the gateways that are chosen at the top.
import { runbookOf } from '../../src/telemetry/alerts.ts';

const DATASOURCE = { type: 'prometheus', uid: `\${datasource}` };
const WIDTH = 24;

/** `spillway_x{job=~"$job",…}` of a metric, its name without prefix or, with `/` before it, whole. */
export function of(metric, labels = '') {
  const name = metric.startsWith('/') ? metric.slice(1) : `spillway_${metric}`;
  return `${name}{job=~"$job",instance=~"$instance"${labels === '' ? '' : `,${labels}`}}`;
}

export const rate = (metric, labels) => `rate(${of(metric, labels)}[$__rate_interval])`;
export const rateBy = (by, metric, labels) => `sum by (${by}) (${rate(metric, labels)})`;
export const total = (metric, labels) => `sum(${of(metric, labels)})`;
export const risen = (metric, window, labels) => `sum(increase(${of(metric, labels)}[${window}]))`;
export const quantile = (share, metric, by = '') =>
  `histogram_quantile(${share}, sum by (le${by === '' ? '' : `, ${by}`}) (rate(${of(`${metric}_bucket`)}[$__rate_interval])))`;

/** `[expression, legend]` pairs as targets. */
const targetsOf = (queries) =>
  queries.map(([expr, legendFormat], index) => ({ refId: String.fromCharCode(65 + index), datasource: DATASOURCE, expr, legendFormat, range: true }));

const common = ({ title, about, queries, alert, ...rest }) => ({
  title,
  description: alert === undefined ? about : `${about} Alert: ${[alert].flat().join(', ')}.`,
  datasource: DATASOURCE,
  targets: targetsOf(queries),
  links: [alert ?? []].flat().map((name) => ({ title: `What to do: ${name}`, url: `\${docs}/${runbookOf({ name })}`, targetBlank: true })),
  ...rest,
});

/** Lines over time. `limit`: a red line. `stack`: lines on top of one another. */
export function lines({ unit, limit, stack = false, ...rest }) {
  const thresholds = { mode: 'absolute', steps: [{ color: 'transparent', value: null }, ...(limit === undefined ? [] : [{ color: 'red', value: limit }])] };
  return {
    ...common(rest),
    type: 'timeseries',
    fieldConfig: {
      defaults: {
        unit,
        min: 0,
        thresholds,
        custom: {
          fillOpacity: stack ? 30 : 5,
          lineWidth: 1,
          showPoints: 'never',
          stacking: { mode: stack ? 'normal' : 'none', group: 'A' },
          thresholdsStyle: { mode: limit === undefined ? 'off' : 'line' },
        },
      },
      overrides: [],
    },
    options: { legend: { displayMode: 'list', placement: 'bottom', showLegend: true }, tooltip: { mode: 'multi', sort: 'desc' } },
    size: { w: 8, h: 8 },
  };
}

/** One figure. `bad`: red from there on; `low`: red below it. */
export function figure({ unit, bad, low, decimals, ...rest }) {
  const steps =
    low !== undefined
      ? [
          { color: 'red', value: null },
          { color: 'green', value: low },
        ]
      : [{ color: 'green', value: null }, ...(bad === undefined ? [] : [{ color: 'red', value: bad }])];
  return {
    ...common(rest),
    type: 'stat',
    fieldConfig: { defaults: { unit, ...(decimals === undefined ? {} : { decimals }), thresholds: { mode: 'absolute', steps } }, overrides: [] },
    options: { reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false }, colorMode: 'value', graphMode: 'area', textMode: 'auto' },
    size: { w: 4, h: 4 },
  };
}

/** A board of rows of panels. */
export function board({ uid, title, about, rows }) {
  return {
    id: null,
    uid,
    title,
    description: about,
    tags: ['spillway'],
    schemaVersion: 39,
    version: 1,
    editable: true,
    graphTooltip: 1,
    refresh: '15s',
    time: { from: 'now-1h', to: 'now' },
    timezone: 'browser',
    links: [{ title: 'Spillway', type: 'dashboards', tags: ['spillway'], asDropdown: false, keepTime: true, includeVars: true }],
    annotations: { list: [] },
    templating: { list: VARIABLES },
    panels: placed(rows),
  };
}

const VARIABLES = [
  { name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus', current: {}, hide: 0, refresh: 1 },
  variable('job', 'Deployment', 'label_values(spillway_build_info, job)'),
  variable('instance', 'Gateway', 'label_values(spillway_build_info{job=~"$job"}, instance)'),
  {
    name: 'docs',
    label: 'Repository',
    description: 'Where your copy of the repository can be read; links to what to do begin with it.',
    type: 'textbox',
    query: '/spillway',
    current: { text: '/spillway', value: '/spillway' },
    hide: 0,
  },
];

function variable(name, label, query) {
  const all = { text: 'All', value: '$__all' };
  return {
    name,
    label,
    type: 'query',
    datasource: DATASOURCE,
    query: { query, refId: name },
    refresh: 2,
    sort: 1,
    multi: true,
    includeAll: true,
    allValue: '.*',
    current: all,
  };
}

function placed(rows) {
  const panels = [];
  let y = 0;
  for (const { title, panels: row } of rows) {
    panels.push({ id: panels.length + 1, type: 'row', title, collapsed: false, gridPos: { x: 0, y, w: WIDTH, h: 1 }, panels: [] });
    y++;
    let [x, height] = [0, 0];
    for (const { size, ...panel } of row) {
      if (x + size.w > WIDTH) {
        y += height;
        [x, height] = [0, 0];
      }
      panels.push({ id: panels.length + 1, ...panel, gridPos: { x, y, w: size.w, h: size.h } });
      x += size.w;
      height = Math.max(height, size.h);
    }
    y += height;
  }
  return panels;
}
