/** What can be said of the files in `deploy/` without running them: each program reads what is meant for it. */

import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { alertsOf } from '../../src/telemetry/alerts.ts';
import { problemsOf, readBoards } from './boards.ts';
import { type Check, DEPLOY, ROOT, run, scratch } from './check.ts';
import { dockerfileChecks } from './dockerfile.ts';
import { SCENARIOS, type Scenario } from './rule-scenarios.ts';
import { ruleTests } from './rule-tests.ts';

const RULES = join(DEPLOY, 'prometheus', 'spillway.rules.yaml');
/** Exposure by the count of `systemd-analyze security`, ten times: 10 is none. */
const MOST_EXPOSED = '25';

export const ARTEFACTS: readonly Check[] = [
  {
    name: 'generated files are what their sources say',
    needs: [],
    run() {
      const { status, stderr } = spawnSync(process.execPath, [join(ROOT, 'scripts', 'generate-operations.mjs'), '--check'], { encoding: 'utf8' });
      if (status !== 0) throw new Error(stderr);
      return 'rules, boards and docs/operations/alerts.md';
    },
  },
  {
    name: 'Grafana boards can be imported',
    needs: [],
    run() {
      const problems = readBoards().flatMap(problemsOf);
      if (problems.length > 0) throw new Error(problems.join('\n'));
      return `${readBoards().length} boards`;
    },
  },
  {
    name: 'promtool check rules',
    needs: ['promtool'],
    run: () => run('promtool', ['check', 'rules', RULES]).match(/\d+ rules? found/)?.[0] ?? 'rules found',
  },
  { name: 'promtool check config', needs: ['promtool'], run: checkPrometheusConfig },
  {
    name: 'amtool check-config',
    needs: ['amtool'],
    run: () => run('amtool', ['check-config', join(DEPLOY, 'alertmanager', 'alertmanager.yml')]) && 'routes and receivers',
  },
  {
    name: 'docker-compose config',
    needs: ['docker-compose'],
    run: () => run('docker-compose', ['-f', join(DEPLOY, 'compose.yaml'), 'config', '-q']) || 'compose.yaml',
  },
  { name: 'systemd-analyze verify', needs: ['systemd-analyze'], run: verifyUnit },
  {
    name: 'systemd-analyze security',
    needs: ['systemd-analyze'],
    run: () => {
      const said = run('systemd-analyze', ['security', '--offline=yes', `--threshold=${MOST_EXPOSED}`, join(DEPLOY, 'systemd', 'spillway.service')]);
      return said.match(/Overall exposure level for \S+ ([\d.]+)/)?.[1] ?? 'exposed little';
    },
  },
  { name: 'nginx -t', needs: ['nginx'], run: checkNginx },
  {
    name: 'haproxy -c',
    needs: ['haproxy'],
    run() {
      for (const file of [join('haproxy', 'haproxy.cfg'), join('cluster', 'haproxy.cfg')]) run('haproxy', ['-c', '-f', join(DEPLOY, file)]);
      return 'haproxy.cfg, and that of three gateways on one machine';
    },
  },
  ...dockerfileChecks,
];

/** Whether each alert fires when it should and stays quiet when it should. */
export const rulesCheck = (scenarios: readonly Scenario[] = SCENARIOS): Check => ({
  name: 'promtool test rules',
  needs: ['promtool'],
  run() {
    for (const { name } of alertsOf())
      for (const fires of [true, false])
        if (!SCENARIOS.some((one) => one.alert === name && one.fires === fires))
          throw new Error(`No scenario in which ${name} ${fires ? 'fires' : 'stays quiet'}.`);
    using folder = scratch();
    const file = join(folder.path, 'rules.test.yaml');
    writeFileSync(file, ruleTests(RULES, scenarios));
    run('promtool', ['test', 'rules', file]);
    return `${scenarios.length} scenarios of ${alertsOf().length} alerts, the incident among them`;
  },
});

/** Paths inside the containers are not here: the file is checked beside its rules, with a key of its own. */
function checkPrometheusConfig(): string {
  using folder = scratch();
  cpSync(join(DEPLOY, 'prometheus'), folder.path, { recursive: true });
  const file = join(folder.path, 'prometheus.yml');
  const key = join(folder.path, 'key');
  writeFileSync(key, 'a-key-of-the-tests');
  writeFileSync(file, readFileSync(file, 'utf8').replace('/run/secrets/spillway-admin-key', key));
  run('promtool', ['check', 'config', file]);
  return 'with its rules';
}

/** The unit as it is, but for the program that it starts: that is not installed where tests run. */
function verifyUnit(): string {
  using folder = scratch();
  const program = join(folder.path, 'spillway');
  writeFileSync(program, '#!/bin/sh\n');
  chmodSync(program, 0o755);
  const unit = join(folder.path, 'spillway.service');
  writeFileSync(unit, readFileSync(join(DEPLOY, 'systemd', 'spillway.service'), 'utf8').replaceAll('/usr/bin/spillway', program));
  const said = run('systemd-analyze', ['verify', unit]);
  // It says what it does not understand and ends well all the same.
  const about = said.split('\n').filter((line) => line.includes('spillway.service'));
  if (about.length > 0) throw new Error(about.join('\n'));
  return 'spillway.service';
}

function checkNginx(): string {
  using folder = scratch();
  mkdirSync(join(folder.path, 'logs'));
  const file = join(folder.path, 'nginx.conf');
  // The names of gateways are those of the containers.
  const include = join(folder.path, 'spillway.conf');
  writeFileSync(include, readFileSync(join(DEPLOY, 'nginx', 'spillway.conf'), 'utf8').replace(/\bgw-(\d):/g, '127.0.0.$1:'));
  writeFileSync(file, `pid ${folder.path}/pid;\nerror_log ${folder.path}/logs/error.log;\nevents {}\nhttp {\n  access_log off;\n  include ${include};\n}\n`);
  run('nginx', ['-t', '-q', '-p', folder.path, '-c', file]);
  run('nginx', ['-t', '-q', '-p', folder.path, '-e', 'stderr', '-c', join(DEPLOY, 'cluster', 'nginx.conf')]);
  return 'spillway.conf, and that of three gateways on one machine';
}
