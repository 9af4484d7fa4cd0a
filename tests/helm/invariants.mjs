// SPDX-License-Identifier: Apache-2.0
// What holds in every rendering, whatever the values.
import * as backend from './backend.mjs';

const SELECTOR = ['app.kubernetes.io/name', 'app.kubernetes.io/instance', 'app.kubernetes.io/component'];
const LABELS = [...SELECTOR, 'app.kubernetes.io/part-of', 'app.kubernetes.io/version', 'app.kubernetes.io/managed-by',
  'helm.sh/chart'];
const FILES_ROOT = '/etc/kubecent';
const SNAPSHOT_ROOT = '/var/cache/kubecent';

export async function broken(kinds, knownSettings) {
  const deployment = kinds.Deployment.spec;
  const pods = [deployment.template.spec, kinds.Pod?.spec].filter(Boolean);
  return [
    ...Object.values(kinds).flatMap(metadata),
    ...selectors(kinds),
    ...pods.flatMap(unrestricted),
    ...probes(deployment.template.spec.containers[0]),
    ...files(deployment.template.spec),
    ...shutdown(kinds),
    ...await settings(kinds, knownSettings),
  ];
}

function metadata({ kind, metadata: { name, namespace, labels } }) {
  return [
    ...(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(name) && name.length <= 63 ? [] : [`${kind} has the name ${name}`]),
    ...(namespace === undefined ? [] : [`${kind} names a namespace`]),
    ...LABELS.filter((label) => !(label in labels)).map((label) => `${kind} lacks the label ${label}`),
    ...Object.entries(labels).filter(([, value]) => value.length > 63).map(([label]) => `${kind}: ${label} is too long`),
  ];
}

function selectors({ Deployment, Service, Pod }) {
  const selector = Deployment.spec.selector.matchLabels;
  const selects = (labels) => Object.entries(selector).every(([label, value]) => labels[label] === value);
  return [
    ...(Object.keys(selector).join() === SELECTOR.join() ? [] : [`the selector is ${Object.keys(selector)}`]),
    ...(JSON.stringify(Service.spec.selector) === JSON.stringify(selector) ? [] : ['Service and Deployment select differently']),
    ...(selects(Deployment.spec.template.metadata.labels) ? [] : ['the Deployment does not select its pods']),
    ...(Pod && selects(Pod.metadata.labels) ? ['the test pod is taken for one that serves'] : []),
  ];
}

// The Pod Security Standard "restricted", a read-only root, and no token of the Kubernetes API.
function unrestricted(pod) {
  const [container] = pod.containers;
  const rules = {
    runAsNonRoot: pod.securityContext.runAsNonRoot === true,
    'a numeric user': pod.securityContext.runAsUser > 0,
    seccompProfile: pod.securityContext.seccompProfile.type === 'RuntimeDefault',
    allowPrivilegeEscalation: container.securityContext.allowPrivilegeEscalation === false,
    capabilities: container.securityContext.capabilities.drop.join() === 'ALL',
    readOnlyRootFilesystem: container.securityContext.readOnlyRootFilesystem === true,
    automountServiceAccountToken: pod.automountServiceAccountToken === false,
    enableServiceLinks: pod.enableServiceLinks === false,
    'a memory limit': 'memory' in container.resources.limits,
  };
  return Object.keys(rules).filter((rule) => !rules[rule]).map((rule) => `${container.name} is not held to ${rule}`);
}

function probes({ startupProbe, livenessProbe, readinessProbe }) {
  const paths = [startupProbe, livenessProbe, readinessProbe].map(({ httpGet }) => `${httpGet.port}${httpGet.path}`);
  return paths.join() === 'http/readyz,http/livez,http/readyz' ? [] : [`the probes ask ${paths}`];
}

// Each file that a variable names must be in the mounted volume, and the other way round.
function files(pod) {
  const [container] = pod.containers;
  const named = container.env.map(({ value }) => value).filter((value) => value?.startsWith(`${FILES_ROOT}/`));
  const volume = pod.volumes?.find(({ name }) => name === 'files');
  const mount = container.volumeMounts?.find(({ name }) => name === 'files');
  const mounted = (volume?.projected.sources ?? [])
    .flatMap(({ secret, configMap }) => (secret ?? configMap).items.map(({ path }) => `${mount?.mountPath}/${path}`));
  return [
    ...named.filter((file) => !mounted.includes(file)).map((file) => `${file} is named but not mounted`),
    ...mounted.filter((file) => !named.includes(file)).map((file) => `${file} is mounted but not named`),
    ...container.env.filter(({ value }) => value?.startsWith(`${SNAPSHOT_ROOT}/`))
      .filter(() => !container.volumeMounts?.some(({ mountPath, readOnly }) => mountPath === SNAPSHOT_ROOT && !readOnly))
      .map(({ name }) => `${name} is nowhere that could be written`),
    ...(volume && volume.projected.defaultMode !== 0o440 ? ['secrets are readable by others'] : []),
  ];
}

function shutdown({ ConfigMap, Deployment }) {
  if (!ConfigMap)
    return [];
  const { SHUTDOWN_DELAY = 0, SHUTDOWN_TIMEOUT = 15 } = ConfigMap.data;
  const grace = Deployment.spec.template.spec.terminationGracePeriodSeconds;
  return grace > Number(SHUTDOWN_DELAY) + Number(SHUTDOWN_TIMEOUT) ? [] : ['pods are killed while they shut down'];
}

// Names must be the service's own, and the values such that it starts with them. Files are mounted only in a cluster.
async function settings({ ConfigMap, Deployment, Pod }, known) {
  const [container] = Deployment.spec.template.spec.containers;
  const data = ConfigMap?.data ?? {};
  const isMounted = (value) => [FILES_ROOT, SNAPSHOT_ROOT].some((root) => value.startsWith(`${root}/`));
  const variables = container.env.filter(({ value }) => value !== undefined && !isMounted(value));
  const names = [...Object.keys(data), ...container.env.map(({ name }) => name),
    ...(Pod?.spec.containers[0].env ?? []).map(({ name }) => name)];
  const complaint = await backend.complaint({
    ...data, ...Object.fromEntries(variables.map(({ name, value }) => [name, value])) });
  return [
    ...names.filter((name) => !known.includes(name)).map((name) => `${name} is no setting`),
    ...(complaint === null ? [] : [complaint]),
  ];
}
