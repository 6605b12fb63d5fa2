// Cleanup records as tables for people.

const WHY_KEPT = {
  requester: 'it asked for the seat',
  pinned: 'pinned by its application',
  promised: 'its seat is promised to somebody who waits',
  newborn: 'just opened',
  run: 'an answer is being written in it',
  'critical-unacked': 'the end of an answer is on its way to it',
  functional: 'it works and is in use',
  'quiet-below-limit': 'it works; quiet, but not for long enough',
  unknown: 'nothing is proved against it',
  revived: 'it gave a sign of life just then',
  'level-quota': 'this level may take no more',
  'not-needed': 'enough was freed without it',
};

/** `nameOf`: the tab behind the id of a manager. */
export function tablesOf({ run, trigger, before, after, durationMs, levels, victims, kept, result }, nameOf) {
  const depth = levels.map(({ level, freed }) => `${level} freed ${freed}`).join(', ');
  const went = victims.map((v) => [nameOf(v.managerId), v.managerId, v.verdict, v.level, v.reason, v.text]);
  const stayed = kept.map((k) => [nameOf(k.managerId), k.managerId, k.verdict, k.because, WHY_KEPT[k.because] ?? '', k.text]);
  for (const table of [went, stayed]) table.sort(([a], [b]) => a.localeCompare(b, undefined, { numeric: true }));
  return [
    `${run}: trigger ${trigger}, ${before} seats before, ${after} after, ${Math.round(durationMs)} ms, ${result} (${depth})`,
    '',
    ...rows(['WENT', 'MANAGER', 'VERDICT', 'LEVEL', 'REASON', 'EVIDENCE'], went),
    '',
    ...rows(['STAYED', 'MANAGER', 'VERDICT', 'BECAUSE', 'THAT IS', 'EVIDENCE'], stayed),
  ].join('\n');
}

function rows(head, body) {
  const all = [head, ...body];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column].length)));
  return all.map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column])).join('  ')}`.trimEnd());
}
