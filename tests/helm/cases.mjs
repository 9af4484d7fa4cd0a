// SPDX-License-Identifier: Apache-2.0
// One case a file in values/: all that it changes against the defaults, and what must then be true.
import assert from 'node:assert/strict';

// Restarts the pods when the ConfigMap has changed.
const CHECKSUM = 'Deployment spec.template.metadata.annotations."checksum/config"';
const POD = 'Deployment spec.template.spec';
const CONTAINER = `${POD}.containers[kubecent]`;
const FILES = [`${POD}.volumes`, `${CONTAINER}.volumeMounts`];
const KINDS = ['ServiceAccount', 'ConfigMap', 'Service', 'Deployment', 'Pod'];
const PROBES = ['startupProbe', 'livenessProbe', 'readinessProbe'];

const settings = (...names) => [CHECKSUM, ...names.map((name) => `ConfigMap data.${name}`)];
const container = ({ Deployment }) => Deployment.spec.template.spec.containers[0];
const variable = (kinds, name) => container(kinds).env.find((entry) => entry.name === name)?.value;

export const CASES = {
  names: {
    changes: [
      ...KINDS.flatMap((kind) => [`${kind} metadata.name`, `${kind} metadata.labels`]),
      'Service spec.selector', 'Deployment spec.selector', 'Deployment spec.template.metadata.labels',
      `${POD}.serviceAccountName`, `${CONTAINER}.envFrom[0].configMapRef.name`,
      `${POD}.topologySpreadConstraints[0].labelSelector`, 'Pod spec.containers[healthcheck].env[HOST].value',
    ],
    holds: ({ Deployment, Service }) => {
      assert.equal(Service.metadata.name, 'kubecent-costs');
      assert.equal(Service.metadata.labels.team, 'finops');
      assert.ok(!('team' in Deployment.spec.selector.matchLabels));
    },
  },
  fullname: {
    changes: [
      ...KINDS.map((kind) => `${kind} metadata.name`), `${POD}.serviceAccountName`,
      `${CONTAINER}.envFrom[0].configMapRef.name`, 'Pod spec.containers[healthcheck].env[HOST].value',
    ],
    holds: ({ Service, Pod }) => {
      assert.equal(Service.metadata.name, 'cost-api');
      assert.equal(Pod.metadata.name, 'cost-api-test');
    },
  },
  'image-tag': {
    changes: [
      `${CONTAINER}.image`, `${CONTAINER}.imagePullPolicy`, `${POD}.imagePullSecrets`, 'Pod spec.imagePullSecrets',
      'Pod spec.containers[healthcheck].image', 'Pod spec.containers[healthcheck].imagePullPolicy',
    ],
    holds: (kinds) => assert.equal(container(kinds).image, 'registry.example.com/finops/kubecent-backend:0.2.0-rc.1'),
  },
  'image-digest': {
    changes: [`${CONTAINER}.image`, 'Pod spec.containers[healthcheck].image'],
    holds: (kinds) => assert.match(container(kinds).image, /^kubecent-backend@sha256:[0-9a-f]{64}$/),
  },
  opencost: {
    changes: [
      ...settings('OPENCOST_URL', 'OPENCOST_TIMEOUT', 'OPENCOST_RETRY_WAIT_MS', 'OPENCOST_MAX_BODY_MB'),
      `${CONTAINER}.env[OPENCOST_CA_FILE]`, ...FILES,
    ],
    holds: ({ Deployment }) => assert.deepEqual(Deployment.spec.template.spec.volumes[0].projected.sources,
      [{ configMap: { name: 'private-ca', items: [{ key: 'root.pem', path: 'opencost/ca.crt' }] } }]),
  },
  'opencost-token': {
    changes: ['+ Secret', `${CONTAINER}.env[OPENCOST_TOKEN_FILE]`, ...FILES],
    holds: ({ Secret }) => assert.equal(atob(Secret.data['opencost-token']), 's3cret:token'),
  },
  'existing-secret': {
    changes: [
      ...settings('OPENCOST_URL'), `${CONTAINER}.env[OPENCOST_CA_FILE]`, `${CONTAINER}.env[OPENCOST_TOKEN_FILE]`, ...FILES,
    ],
    holds: ({ Deployment }) => assert.deepEqual(Deployment.spec.template.spec.volumes[0].projected.sources, [
      { secret: { name: 'private-ca', items: [{ key: 'ca.crt', path: 'opencost/ca.crt' }] } },
      { secret: { name: 'opencost-access', items: [{ key: 'bearer', path: 'opencost/token' }] } },
    ]),
  },
  settings: {
    changes: [
      ...settings('ACCESS_LOG', 'CACHE_MAX_MB', 'CACHE_STALE_IF_ERROR', 'CACHE_STALE_WHILE_REVALIDATE', 'CACHE_TTL',
        'CLEANUP_INTERVAL', 'CORS_ORIGINS', 'ENABLE_SWAGGER', 'ENVIRONMENT', 'HOST', 'HTTP_IDLE_TIMEOUT',
        'HTTP_MAX_CONNECTIONS', 'HTTP_MAX_CONNECTIONS_PER_ADDRESS', 'HTTP_MAX_WAITING', 'HTTP_MAX_WAITING_PER_ADDRESS',
        'HTTP_REQUEST_TIMEOUT', 'HTTP_THREADS', 'LOG_FORMAT', 'LOG_LEVEL', 'METRICS_NAMESPACE_COST', 'REFRESH_INTERVAL',
        'REFRESH_WINDOWS', 'SHUTDOWN_DELAY', 'SHUTDOWN_TIMEOUT'),
      `${POD}.terminationGracePeriodSeconds`,
    ],
    holds: ({ ConfigMap }) => {
      assert.equal(ConfigMap.data.CACHE_STALE_IF_ERROR, '2592000');
      assert.equal(ConfigMap.data.CORS_ORIGINS, '["https://console.example.com","https://costs.example.com"]');
      assert.equal(ConfigMap.data.ENVIRONMENT, 'staging "west"');
      assert.equal(ConfigMap.data.REFRESH_WINDOWS, 'today,lastmonth');
    },
  },
  'left-to-the-service': {
    changes: settings('CACHE_STALE_IF_ERROR', 'CACHE_TTL', 'CORS_ORIGINS', 'LOG_LEVEL', 'OPENCOST_TIMEOUT',
      'REFRESH_WINDOWS', 'SHUTDOWN_DELAY'),
    holds: ({ ConfigMap }) => assert.ok(!('CACHE_TTL' in ConfigMap.data) && !('CORS_ORIGINS' in ConfigMap.data)),
  },
  snapshot: {
    changes: [`${CONTAINER}.env[CACHE_SNAPSHOT_FILE]`, ...FILES],
    holds: ({ Deployment }) => assert.deepEqual(Deployment.spec.template.spec.volumes, [{ name: 'snapshot', emptyDir: {} }]),
  },
  'snapshot-claim': {
    changes: [`${CONTAINER}.env[CACHE_SNAPSHOT_FILE]`, ...FILES],
    holds: ({ Deployment }) => assert.deepEqual(Deployment.spec.template.spec.volumes,
      [{ name: 'snapshot', persistentVolumeClaim: { claimName: 'kubecent-cache' } }]),
  },
  ports: {
    changes: [
      `${CONTAINER}.env[PORT].value`, `${CONTAINER}.ports[http].containerPort`, 'Service spec.type',
      'Service spec.ports[http].port', 'Service metadata.annotations', 'Pod spec.containers[healthcheck].env[PORT].value',
    ],
    holds: (kinds) => {
      assert.equal(variable(kinds, 'PORT'), '9000');
      assert.equal(kinds.Service.spec.ports[0].targetPort, 'http');
      assert.equal(kinds.Pod.spec.containers[0].env[1].value, '80');
    },
  },
  'existing-configmap': {
    changes: ['- ConfigMap', `${CONTAINER}.envFrom[0].configMapRef.name`, CHECKSUM],
    holds: (kinds) => assert.equal(variable(kinds, 'PORT'), '8000'),
  },
  extraenv: {
    changes: [`${CONTAINER}.env[CACHE_TTL]`, `${CONTAINER}.env[OPENCOST_URL]`, `${CONTAINER}.envFrom[1]`],
  },
  tls: {
    changes: [
      `${CONTAINER}.env[TLS_CERT_FILE]`, `${CONTAINER}.env[TLS_KEY_FILE]`, ...FILES, 'Service spec.ports[http].appProtocol',
      ...PROBES.map((probe) => `${CONTAINER}.${probe}.httpGet.scheme`), 'Pod spec.volumes',
      'Pod spec.containers[healthcheck].env[TLS_CERT_FILE]', 'Pod spec.containers[healthcheck].env[TLS_KEY_FILE]',
      'Pod spec.containers[healthcheck].volumeMounts',
    ],
    holds: (kinds) => {
      for (const probe of PROBES)
        assert.equal(container(kinds)[probe].httpGet.scheme, 'HTTPS');
    },
  },
  auth: {
    changes: [`${CONTAINER}.env[AUTH_TOKEN_FILE]`, ...FILES],
    holds: ({ Deployment }) => assert.deepEqual(Deployment.spec.template.spec.volumes[0].projected.sources,
      [{ secret: { name: 'kubecent-access', items: [{ key: 'bearer', path: 'auth/token' }] } }]),
  },
  'auth-token': {
    changes: ['+ Secret', `${CONTAINER}.env[AUTH_TOKEN_FILE]`, ...FILES],
    holds: ({ Secret }) => assert.deepEqual(Object.keys(Secret.data), ['auth-token']),
  },
  'auth-metrics': {
    changes: ['+ ServiceMonitor', `${CONTAINER}.env[AUTH_TOKEN_FILE]`, `${CONTAINER}.env[METRICS_AUTH]`, ...FILES],
    holds: ({ ServiceMonitor }) => assert.deepEqual(ServiceMonitor.spec.endpoints[0].authorization,
      { credentials: { name: 'kubecent-access', key: 'bearer' } }),
  },
  'auth-metrics-token': {
    changes: [
      '+ Secret', '+ ServiceMonitor', `${CONTAINER}.env[AUTH_TOKEN_FILE]`, `${CONTAINER}.env[METRICS_AUTH]`, ...FILES,
    ],
    holds: ({ ServiceMonitor, Secret }) => {
      const { credentials } = ServiceMonitor.spec.endpoints[0].authorization;
      assert.equal(credentials.name, Secret.metadata.name);
      assert.equal(atob(Secret.data[credentials.key]), 'callers-token');
    },
  },
  'auth-metrics-credentials': {
    changes: [
      '+ Secret', '+ ServiceMonitor', `${CONTAINER}.env[AUTH_TOKEN_FILE]`, `${CONTAINER}.env[METRICS_AUTH]`, ...FILES,
    ],
    holds: ({ ServiceMonitor }) => assert.deepEqual(ServiceMonitor.spec.endpoints[0].authorization,
      { credentials: { name: 'prometheus', key: 'token' } }),
  },
  'redis-password': {
    changes: [...settings('REDIS_URL', 'REDIS_PREFIX', 'REDIS_TIMEOUT_MS'), `${CONTAINER}.env[REDIS_PASSWORD_FILE]`, ...FILES],
    holds: ({ ConfigMap, Deployment }) => {
      assert.equal(ConfigMap.data.REDIS_URL, 'redis+sentinel://sentinel-0:26379,sentinel-1:26379/primary/2');
      assert.deepEqual(Deployment.spec.template.spec.volumes[0].projected.sources,
        [{ secret: { name: 'redis', items: [{ key: 'redis-password', path: 'redis/password' }] } }]);
    },
  },
  'redis-url-in-secret': {
    changes: [
      ...settings('REDIS_PREFIX', 'REDIS_TIMEOUT_MS'), '+ NetworkPolicy', `${CONTAINER}.env[REDIS_URL]`,
      `${CONTAINER}.env[REDIS_CA_FILE]`, ...FILES,
    ],
    holds: (kinds) => {
      assert.deepEqual(container(kinds).env.find(({ name }) => name === 'REDIS_URL').valueFrom.secretKeyRef,
        { name: 'redis-binding', key: 'uri' });
      assert.deepEqual(kinds.NetworkPolicy.spec.egress[2], { ports: [7000, 7001].map((port) => ({ port, protocol: 'TCP' })) });
    },
  },
  'replicas-with-redis': {
    changes: [
      ...settings('REDIS_URL', 'REDIS_PREFIX', 'REDIS_TIMEOUT_MS'), `${CONTAINER}.env[REDIS_PASSWORD_FILE]`,
      `${CONTAINER}.env[REDIS_CA_FILE]`, ...FILES, 'Deployment spec.replicas', '+ NetworkPolicy', '+ PodDisruptionBudget',
    ],
    holds: ({ Deployment, NetworkPolicy }) => {
      assert.equal(Deployment.spec.replicas, 2);
      const [{ ports, to }] = NetworkPolicy.spec.egress.slice(2);
      assert.deepEqual(ports, [{ port: 6380, protocol: 'TCP' }]);
      assert.equal(to[0].namespaceSelector.matchLabels['kubernetes.io/metadata.name'], 'redis');
    },
  },
  'two-replicas': {
    changes: ['Deployment spec.replicas'],
    holds: ({ Deployment }) => assert.equal(Deployment.spec.replicas, 2),
  },
  pods: {
    changes: [
      'Deployment spec.revisionHistoryLimit', 'Deployment spec.strategy', `${CONTAINER}.resources`,
      `${POD}.securityContext`, `${CONTAINER}.securityContext`, 'Pod spec.securityContext',
      'Pod spec.containers[healthcheck].securityContext', `${CONTAINER}.startupProbe.failureThreshold`,
      `${CONTAINER}.livenessProbe.timeoutSeconds`, `${CONTAINER}.readinessProbe.periodSeconds`,
      `${POD}.topologySpreadConstraints[0]`, `${POD}.nodeSelector`, 'Pod spec.nodeSelector', `${POD}.tolerations`,
      'Pod spec.tolerations', `${POD}.affinity`, `${POD}.priorityClassName`, 'Deployment spec.template.metadata.labels',
      'Deployment spec.template.metadata.annotations', `${POD}.volumes`, `${CONTAINER}.volumeMounts`,
    ],
    holds: ({ Deployment }) => {
      assert.deepEqual(Deployment.spec.template.spec.topologySpreadConstraints[0].labelSelector.matchLabels,
        { spread: 'together' });
      assert.equal(Deployment.spec.template.metadata.labels.spread, 'together');
    },
  },
  'service-account': {
    changes: ['ServiceAccount metadata.name', 'ServiceAccount metadata.annotations', `${POD}.serviceAccountName`],
    holds: ({ Deployment }) => assert.equal(Deployment.spec.template.spec.serviceAccountName, 'costs'),
  },
  'no-service-account': {
    changes: ['- ServiceAccount', `${POD}.serviceAccountName`],
    holds: ({ Deployment }) => assert.equal(Deployment.spec.template.spec.serviceAccountName, 'default'),
  },
  ingress: {
    changes: ['+ Ingress'],
    holds: ({ Ingress }) => {
      assert.equal(Ingress.spec.ingressClassName, 'nginx');
      assert.equal(Ingress.spec.rules[0].host, 'costs.example.com');
      assert.deepEqual(Ingress.spec.rules[0].http.paths.map((entry) => entry.path), ['/api', '/metrics']);
      assert.deepEqual(Ingress.spec.rules[0].http.paths[0].backend.service, { name: 'kubecent', port: { name: 'http' } });
      assert.equal(Ingress.spec.tls[0].secretName, 'costs-tls');
    },
  },
  httproute: {
    changes: ['+ HTTPRoute', 'Service spec.ports[http].port', 'Pod spec.containers[healthcheck].env[PORT].value'],
    holds: ({ HTTPRoute, Service }) => {
      const [rule] = HTTPRoute.spec.rules;
      assert.deepEqual(rule.backendRefs, [{ name: Service.metadata.name, port: 8080 }]);
      assert.equal(rule.matches[0].path.value, '/api');
      assert.equal(rule.filters.length, 1);
      assert.equal(HTTPRoute.spec.parentRefs[0].namespace, 'gateways');
    },
  },
  networkpolicy: {
    changes: ['+ NetworkPolicy'],
    holds: ({ NetworkPolicy, Deployment }) => {
      const { spec } = NetworkPolicy;
      assert.deepEqual(spec.podSelector, Deployment.spec.selector);
      assert.deepEqual(spec.ingress, [{ ports: [{ port: 'http', protocol: 'TCP' }] }]);
      assert.deepEqual(spec.egress.flatMap(({ ports }) => ports.map(({ port }) => port)), [53, 53, 9003]);
      assert.equal(spec.egress[1].to[0].podSelector.matchLabels['app.kubernetes.io/name'], 'opencost');
    },
  },
  'networkpolicy-narrow': {
    changes: [...settings('OPENCOST_URL'), '+ NetworkPolicy'],
    holds: ({ NetworkPolicy, Pod }) => {
      const { ingress, egress } = NetworkPolicy.spec;
      assert.equal(ingress[0].from.length, 2);
      for (const [label, value] of Object.entries(ingress[0].from[1].podSelector.matchLabels))
        assert.equal(Pod.metadata.labels[label], value, 'helm test must be let in');
      assert.deepEqual(egress.flatMap(({ ports }) => ports.map(({ port }) => port)), [53, 53, 9090, 4317]);
      assert.deepEqual(egress[1].to, [{ ipBlock: { cidr: '10.0.0.0/8' } }]);
    },
  },
  demo: {
    changes: [...settings('OPENCOST_URL'), '+ NetworkPolicy'],
    holds: ({ NetworkPolicy }) => assert.equal(NetworkPolicy.spec.egress.length, 1),
  },
  hpa: {
    changes: ['+ HorizontalPodAutoscaler', 'Deployment spec.replicas'],
    holds: ({ HorizontalPodAutoscaler: { spec }, Deployment }) => {
      assert.ok(!('replicas' in Deployment.spec));
      assert.equal(spec.scaleTargetRef.name, Deployment.metadata.name);
      assert.deepEqual([spec.minReplicas, spec.maxReplicas], [3, 6]);
      assert.deepEqual(spec.metrics.map(({ resource }) => [resource.name, resource.target.averageUtilization]),
        [['cpu', 70], ['memory', 85]]);
      assert.equal(spec.behavior.scaleDown.stabilizationWindowSeconds, 600);
    },
  },
  pdb: {
    changes: ['+ PodDisruptionBudget'],
    holds: ({ PodDisruptionBudget: { spec }, Deployment }) =>
      assert.deepEqual(spec, { maxUnavailable: 1, selector: Deployment.spec.selector }),
  },
  'pdb-minimum': {
    changes: ['+ PodDisruptionBudget', 'Deployment spec.replicas'],
    holds: ({ PodDisruptionBudget: { spec }, Deployment }) =>
      assert.deepEqual(spec, { minAvailable: 2, selector: Deployment.spec.selector }),
  },
  'pdb-percentage': {
    changes: ['+ PodDisruptionBudget'],
    holds: ({ PodDisruptionBudget }) => assert.equal(PodDisruptionBudget.spec.maxUnavailable, '50%'),
  },
  servicemonitor: {
    changes: ['+ ServiceMonitor'],
    holds: ({ ServiceMonitor, Service }) => {
      const [endpoint] = ServiceMonitor.spec.endpoints;
      for (const [label, value] of Object.entries(ServiceMonitor.spec.selector.matchLabels))
        assert.equal(Service.metadata.labels[label], value);
      assert.equal(ServiceMonitor.metadata.labels.release, 'prometheus');
      assert.equal(endpoint.port, Service.spec.ports[0].name);
      assert.deepEqual([endpoint.path, endpoint.scheme, endpoint.interval], ['/metrics', 'http', '1m']);
      assert.ok(!('tlsConfig' in endpoint));
    },
  },
  'servicemonitor-tls': {
    changes: [
      '+ ServiceMonitor', `${CONTAINER}.env[TLS_CERT_FILE]`, `${CONTAINER}.env[TLS_KEY_FILE]`, ...FILES,
      'Service spec.ports[http].appProtocol', ...PROBES.map((probe) => `${CONTAINER}.${probe}.httpGet.scheme`),
      'Pod spec.volumes', 'Pod spec.containers[healthcheck].env[TLS_CERT_FILE]',
      'Pod spec.containers[healthcheck].env[TLS_KEY_FILE]', 'Pod spec.containers[healthcheck].volumeMounts',
    ],
    holds: ({ ServiceMonitor }) => {
      const [endpoint] = ServiceMonitor.spec.endpoints;
      assert.equal(endpoint.scheme, 'https');
      assert.deepEqual(endpoint.tlsConfig, { insecureSkipVerify: true });
    },
  },
  prometheusrule: {
    changes: ['+ PrometheusRule'],
    holds: ({ PrometheusRule }) => {
      const rules = PrometheusRule.spec.groups.flatMap((group) => group.rules).filter(({ alert }) => alert);
      const expressions = PrometheusRule.spec.groups.flatMap((group) => group.rules).map(({ expr }) => expr);
      assert.equal(PrometheusRule.metadata.labels.release, 'prometheus');
      assert.ok(rules.every(({ labels }) => labels.team === 'finops'));
      assert.match(rules.find(({ alert }) => alert === 'KubecentDataStale').expr, /> 7200$/);
      for (const selected of expressions.flatMap((expr) => expr.match(/\b(kubecent_\w+|up)(\{[^}]*\})?/g)))
        assert.match(selected, /\{job="[^"]+",namespace="[^"]+"[,}]/);
    },
  },
};
