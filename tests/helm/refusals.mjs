// SPDX-License-Identifier: Apache-2.0
// Values that must not get as far as a cluster, with a word that the complaint must hold.

const DIGEST = `sha256:${'0'.repeat(64)}`;

export const BY_SCHEMA = {
  'an unknown value': ['bogus=1', /bogus/],
  'a misspelt value': ['opencost.ulr=http://opencost:9003', /ulr/],
  'a misspelt probe field': ['livenessProbe.periodSecond=1', /periodSecond/],
  'a fraction of a replica': ['replicaCount=1.5', /replicaCount/],
  'less than no replicas': ['replicaCount=-1', /replicaCount/],
  'text for a number': ['cache.ttl=soon', /ttl/],
  'a TTL of nothing': ['cache.ttl=0', /ttl/],
  'a cache past its bounds': ['cache.maxMb=1048577', /maxMb/],
  'a port out of range': ['http.port=65536', /port/],
  'no port': ['http.port=null', /port/],
  'an address of another scheme': ['opencost.url=ftp://opencost', /url/],
  'an address of Redis of another scheme': ['redis.url=http://redis', /redis/],
  'an address with a query': ['opencost.url=http://opencost:9003/?a=b', /url/],
  'an unknown log level': ['log.level=LOUD', /level/],
  'an unknown log format': ['log.format=xml', /format/],
  'a number for a tag': ['image.tag=2', /tag/],
  'a digest that is none': ['image.digest=sha256:abc', /digest/],
  'an unknown pull policy': ['image.pullPolicy=Sometimes', /pullPolicy/],
  'an unknown type of service': ['service.type=ExternalName', /service.type|service\/type/],
  'a path that does not begin with a slash':
    ['ingress.hosts[0].paths[0].path=api,ingress.hosts[0].paths[0].pathType=Prefix', /path/],
  'a label that is the chart\'s own': ['podLabels.app\\.kubernetes\\.io/name=x', /podLabels|app.kubernetes.io/],
  'an annotation that is no text': ['podAnnotations.a=1', /podAnnotations/],
  'a variable without a name': ['extraEnv[0].value=x', /name/],
  'a budget that is neither number nor percentage': ['podDisruptionBudget.maxUnavailable=half', /maxUnavailable/],
  'a budget above all': ['podDisruptionBudget.maxUnavailable=101%', /maxUnavailable/],
  'a token of two lines': ['opencost.token=a\nb', /token/],
  'a peer that names nobody': ['networkPolicy.from[0].namespace=x', /namespace/],
  'an interval without a unit': ['serviceMonitor.interval=soon', /interval/],
  'a window of two': ['cache.refreshWindows[0]=7d 30d', /refreshWindows/],
};

export const BY_CONTRADICTION = {
  'a tag and a digest': [`image.tag=v1,image.digest=${DIGEST}`, /image\.tag and image\.digest/],
  'two OpenCost tokens': ['opencost.token=a,opencost.existingSecret=b', /opencost\.token and opencost\.existingSecret/],
  'two callers\' tokens': ['auth.token=a,auth.existingSecret=b', /auth\.token and auth\.existingSecret/],
  'a token for /metrics that nobody has': ['auth.metrics=true', /auth\.metrics/],
  'credentials for scrapes that need none': ['serviceMonitor.authorization.type=Bearer', /serviceMonitor\.authorization/],
  'two addresses of Redis': ['redis.url=redis://r,redis.urlKey=u,redis.existingSecret=s', /redis\.url and redis\.urlKey/],
  'an address of Redis in no Secret': ['redis.urlKey=u', /redis\.urlKey/],
  'a password for no Redis': ['redis.existingSecret=s', /redis\.existingSecret/],
  'CA certificates for a Redis without TLS': ['redis.url=redis://r,redis.ca.existingSecret=a', /not rediss/],
  'two sources of CA certificates for Redis':
    ['redis.url=rediss://r,redis.ca.existingSecret=a,redis.ca.existingConfigMap=b', /redis\.ca\.existing/],
  'two sources of CA certificates':
    ['opencost.url=https://o,opencost.ca.existingSecret=a,opencost.ca.existingConfigMap=b', /opencost\.ca\.existing/],
  'CA certificates for plain http': ['opencost.ca.existingSecret=a', /not https/],
  'fewest pods above most': ['autoscaling.enabled=true,autoscaling.minReplicas=6', /minReplicas/],
  'autoscaling without a target':
    ['autoscaling.enabled=true,autoscaling.targetCPUUtilizationPercentage=null', /no target/],
  'autoscaling by CPU that is not requested':
    ['autoscaling.enabled=true,resources.requests.cpu=null', /resources\.requests\.cpu/],
  'autoscaling by memory that is not requested':
    ['autoscaling.enabled=true,autoscaling.targetMemoryUtilizationPercentage=80,resources.requests=null',
      /resources\.requests\.memory/],
  'both limits of a budget':
    ['replicaCount=3,podDisruptionBudget.enabled=true,podDisruptionBudget.minAvailable=1,podDisruptionBudget.maxUnavailable=1',
      /minAvailable and podDisruptionBudget\.maxUnavailable/],
  'a budget that keeps the only pod': ['podDisruptionBudget.enabled=true,podDisruptionBudget.minAvailable=1', /1 of 1 pods/],
  'a budget that keeps all autoscaled pods':
    ['autoscaling.enabled=true,podDisruptionBudget.enabled=true,podDisruptionBudget.minAvailable=2', /2 of 2 pods/],
  'a snapshot shared by several pods':
    ['cache.snapshot.enabled=true,cache.snapshot.existingClaim=a,replicaCount=2', /several pods/],
  'a claim for no snapshot': ['cache.snapshot.existingClaim=a', /cache\.snapshot\.enabled/],
  'a route without a gateway': ['httpRoute.enabled=true', /parentRefs/],
  'a grace period that shutdown outlasts': ['terminationGracePeriodSeconds=20', /together, 20/],
  'a port behind the chart\'s back': ['extraEnv[0].name=PORT,extraEnv[0].value=x', /extraEnv sets PORT/],
  'two at once, both named': ['httpRoute.enabled=true,terminationGracePeriodSeconds=1', /parentRefs[^]*terminationGrace/],
};
