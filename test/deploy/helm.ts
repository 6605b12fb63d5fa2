/** The chart, as Helm renders it over values and versions of Kubernetes; what comes out is looked at field by field. Without Helm nothing of
 *  this is checked, and it is said so. No cluster takes part: that an API server would take it, this does not say. */

import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { OPTION_KEYS } from '../../src/core/option-names.ts';
import { flattenOptions } from '../../src/core/resolve-options.ts';
import { type Check, DEPLOY, run } from './check.ts';

const CHART = join(DEPLOY, 'helm', 'spillway');
const VERSIONS = ['1.25.0', '1.28.0', '1.31.0', '1.35.0'];
const NEEDED = ['store=redis://valkey:6379', 'existingSecret=spillway'];
const EVERYTHING = [
  'ingress.enabled=true',
  'ingress.tlsSecret=tls',
  'httpRoute.enabled=true',
  'autoscaling.enabled=true',
  'serviceMonitor.enabled=true',
  'networkPolicy.enabled=true',
];
const VARIANTS: readonly (readonly string[])[] = [
  [],
  EVERYTHING,
  ['config.shutdown.timeoutMs=4000', 'config.shutdown.predelayMs=0'],
  ['serviceAccount.create=false', 'service.type=LoadBalancer', 'podDisruptionBudget.enabled=false'],
];

// biome-ignore lint/suspicious/noExplicitAny: manifests are read field by field, and what is not there fails.
type Manifest = any;

const render = (sets: readonly string[], version: string): readonly Manifest[] =>
  parseAllDocuments(run('helm', ['template', 'release', CHART, '--kube-version', version, ...[...NEEDED, ...sets].flatMap((one) => ['--set', one])]))
    .map((document) => document.toJS() as Manifest)
    .filter((manifest) => manifest !== null);

/** What is wrong with the manifests of one rendering. */
export function problemsOf(all: readonly Manifest[]): readonly string[] {
  const problems: string[] = [];
  const must = (holds: unknown, what: string): void => {
    if (!holds) problems.push(what);
  };
  const of = (kind: string): readonly Manifest[] => all.filter((one) => one.kind === kind);
  const [deployment] = of('Deployment');
  if (deployment === undefined) return ['There is no Deployment.'];
  const names = all.map((one) => `${one.kind} ${one.metadata?.name}`);
  must(new Set(names).size === names.length, `Two have one name: ${names.join(', ')}`);
  for (const one of all) {
    must(typeof one.apiVersion === 'string' && one.apiVersion !== '', `${one.kind} has no apiVersion`);
    must(/^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$/.test(one.metadata?.name ?? ''), `${one.kind} has the name ${one.metadata?.name}`);
  }
  const pod = deployment.spec.template;
  const [container] = pod.spec.containers;
  const labels = pod.metadata.labels as Record<string, string>;
  const selects = (selector: Record<string, string> | undefined, what: string): void =>
    must(selector !== undefined && Object.entries(selector).every(([key, value]) => labels[key] === value), `${what} does not select the pods`);
  selects(deployment.spec.selector.matchLabels, 'The Deployment');
  for (const service of of('Service')) {
    selects(service.spec.selector, `Service ${service.metadata.name}`);
    for (const { targetPort } of service.spec.ports)
      must(
        container.ports.some((port: Manifest) => port.name === targetPort),
        `Service ${service.metadata.name} leads to the port ${targetPort}, which is not there`,
      );
  }
  for (const one of [...of('PodDisruptionBudget'), ...of('NetworkPolicy')]) selects((one.spec.selector ?? one.spec.podSelector).matchLabels, one.kind);
  const admin = of('Service').find((service) => service.metadata.name.endsWith('-admin'));
  must(admin?.spec.type === 'ClusterIP', 'The operators’ port can be reached from outside the cluster');
  for (const monitor of of('ServiceMonitor'))
    must(
      Object.entries(monitor.spec.selector.matchLabels).every(([key, value]) => admin?.metadata.labels[key] === value),
      'The ServiceMonitor selects no service',
    );
  for (const backend of of('Ingress')
    .flatMap((one) => one.spec.rules[0].http.paths)
    .map((path: Manifest) => path.backend.service))
    must(
      of('Service').some((one) => one.metadata.name === backend.name && one.spec.ports.some((port: Manifest) => port.name === backend.port.name)),
      'The Ingress leads nowhere',
    );
  for (const route of of('HTTPRoute'))
    must(
      of('Service').some((one) => one.metadata.name === route.spec.rules[0].backendRefs[0].name),
      'The HTTPRoute leads nowhere',
    );
  for (const scaler of of('HorizontalPodAutoscaler')) {
    must(scaler.spec.scaleTargetRef.name === deployment.metadata.name, 'The autoscaler scales something else');
    must(deployment.spec.replicas === undefined, 'An autoscaled Deployment has a number of replicas of its own');
  }
  // ---- the pod
  const security = { ...pod.spec.securityContext, ...container.securityContext };
  must(security.runAsUser === 65532 && security.runAsNonRoot === true, 'It may run as root');
  must(security.readOnlyRootFilesystem === true, 'Its root can be written to');
  must(security.allowPrivilegeEscalation === false && security.capabilities?.drop?.includes('ALL'), 'It keeps privileges');
  must(pod.spec.automountServiceAccountToken === false, 'It has a token for the API server');
  const mounts = container.volumeMounts.map((mount: Manifest) => mount.name as string);
  must(
    mounts.every((name: string) => pod.spec.volumes.some((volume: Manifest) => volume.name === name)),
    'A mount has no volume',
  );
  for (const path of ['/data', '/tmp'])
    must(
      container.volumeMounts.some((mount: Manifest) => mount.mountPath === path && mount.readOnly !== true),
      `${path} cannot be written to`,
    );
  for (const [probe, path] of Object.entries({ startupProbe: '/startupz', readinessProbe: '/readyz', livenessProbe: '/livez' }))
    must(container[probe]?.httpGet?.path === path, `${probe} does not ask ${path}`);
  const variables = container.env.map((one: Manifest) => one.name as string);
  must(new Set(variables).size === variables.length, `A variable is set twice: ${variables.join(', ')}`);
  for (const name of ['SPILLWAY_NODE', 'SPILLWAY_STORE', 'SPILLWAY_SIGNING_KEY_FILE', 'SPILLWAY_ADMIN_TOKEN_FILE'])
    must(variables.includes(name), `${name} is missing`);
  const known = new Set(OPTION_KEYS.flatMap((key) => [environmentName(key), `${environmentName(key)}_FILE`]));
  for (const name of variables) must(!name.startsWith('SPILLWAY_') || known.has(name), `${name} is no option`);
  // ---- a stop has the time that it takes
  const [config] = of('ConfigMap');
  const options = parseAllDocuments(config.data['spillway.yaml'])[0]?.toJS() as Manifest;
  const wrong: string[] = [];
  flattenOptions(options, 'server', wrong);
  problems.push(...wrong);
  const { predelayMs = 0, timeoutMs = 60_000 } = options.shutdown ?? {};
  must(
    pod.spec.terminationGracePeriodSeconds * 1_000 >= predelayMs + timeoutMs + 10_000,
    `A stop has ${pod.spec.terminationGracePeriodSeconds} s, and takes ${predelayMs + timeoutMs} ms and 10 s`,
  );
  return problems;
}

const environmentName = (key: string): string =>
  `SPILLWAY_${key
    .replace(/[A-Z]/g, (letter) => `_${letter}`)
    .replaceAll('.', '_')
    .toUpperCase()}`;

export const helmChecks: readonly Check[] = [
  {
    name: 'helm lint',
    needs: ['helm'],
    run: () =>
      run('helm', ['lint', '--strict', CHART, ...NEEDED.flatMap((one) => ['--set', one])]).match(/\d+ chart\(s\) linted, 0 chart\(s\) failed/)?.[0] ?? '',
  },
  {
    name: 'helm template',
    needs: ['helm'],
    run() {
      let manifests = 0;
      for (const version of VERSIONS)
        for (const sets of VARIANTS) {
          const all = render(sets, version);
          manifests += all.length;
          const problems = problemsOf(all);
          if (problems.length > 0) throw new Error(`Kubernetes ${version}, ${sets.join(' ') || 'as it is'}:\n${problems.join('\n')}`);
        }
      return `${manifests} manifests of ${VARIANTS.length} kinds of values × ${VERSIONS.length} versions; no API server was asked`;
    },
  },
  {
    name: 'helm refuses what would not work',
    needs: ['helm'],
    run() {
      const refused = (args: readonly string[]): string => run('helm', ['template', 'release', CHART, ...args], { fine: [1] });
      const noStore = refused(['--set', 'existingSecret=s']);
      if (!noStore.includes('Expected `store`')) throw new Error(`Three gateways without a store were rendered:\n${noStore.slice(0, 300)}`);
      if (!refused(['--set', 'store=redis://x:1']).includes('existingSecret')) throw new Error('It was rendered without a secret.');
      if (!refused([...NEEDED.flatMap((one) => ['--set', one]), '--set', 'replica=2']).includes('replica')) throw new Error('An unknown value was taken.');
      return 'no store, no secret, a misspelt value';
    },
  },
];
