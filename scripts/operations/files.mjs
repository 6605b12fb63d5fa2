import { alertsPage, rulesFile } from './alert-pages.mjs';
import { boardFiles } from './boards.mjs';

/** Every generated file: its path below the repository, and its text. */
export function operationsFiles() {
  return [['deploy/prometheus/spillway.rules.yaml', rulesFile()], ['docs/operations/alerts.md', alertsPage()], ...boardFiles()];
}
