{{/* SPDX-License-Identifier: Apache-2.0 */}}

{{/*
The settings by the names the service reads them under. null is left out: the service has defaults of its own. PORT is
not among them, because probes and Service must agree with it whoever wrote the ConfigMap.
*/}}
{{- define "kubecent.settings" -}}
{{- $v := .Values }}
{{- $settings := dict
  "ACCESS_LOG" $v.log.access
  "CACHE_MAX_MB" $v.cache.maxMb
  "CACHE_STALE_IF_ERROR" $v.cache.staleIfError
  "CACHE_STALE_WHILE_REVALIDATE" $v.cache.staleWhileRevalidate
  "CACHE_TTL" $v.cache.ttl
  "CLEANUP_INTERVAL" $v.cache.cleanupInterval
  "CORS_ORIGINS" (kindIs "slice" $v.http.corsOrigins | ternary (toJson $v.http.corsOrigins) nil)
  "ENABLE_SWAGGER" $v.http.enableSwagger
  "ENVIRONMENT" $v.environment
  "HOST" $v.http.host
  "HTTP_IDLE_TIMEOUT" $v.http.idleTimeout
  "HTTP_MAX_CONNECTIONS" $v.http.maxConnections
  "HTTP_MAX_CONNECTIONS_PER_ADDRESS" $v.http.maxConnectionsPerAddress
  "HTTP_MAX_WAITING" $v.http.maxWaiting
  "HTTP_MAX_WAITING_PER_ADDRESS" $v.http.maxWaitingPerAddress
  "HTTP_REQUEST_TIMEOUT" $v.http.requestTimeout
  "HTTP_THREADS" $v.http.threads
  "LOG_FORMAT" $v.log.format
  "LOG_LEVEL" $v.log.level
  "METRICS_NAMESPACE_COST" $v.metrics.namespaceCost
  "OPENCOST_MAX_BODY_MB" $v.opencost.maxBodyMb
  "OPENCOST_RETRY_WAIT_MS" $v.opencost.retryWaitMs
  "OPENCOST_TIMEOUT" $v.opencost.timeout
  "OPENCOST_URL" $v.opencost.url
  "REFRESH_INTERVAL" $v.cache.refreshInterval
  "REFRESH_WINDOWS" (kindIs "slice" $v.cache.refreshWindows | ternary (join "," $v.cache.refreshWindows) nil)
  "SHUTDOWN_DELAY" $v.shutdown.delay
  "SHUTDOWN_TIMEOUT" $v.shutdown.timeout
}}
{{- if $v.redis.url }}
{{- $settings = merge $settings (dict "REDIS_URL" $v.redis.url) }}
{{- end }}
{{- if or $v.redis.url $v.redis.urlKey }}
{{- $settings = merge $settings (dict "REDIS_PREFIX" $v.redis.prefix "REDIS_TIMEOUT_MS" $v.redis.timeoutMs) }}
{{- end }}
{{- range $name, $value := $settings }}
{{- if kindIs "float64" $value }}
{{ $name }}: {{ int64 $value | quote }}
{{- else if not (kindIs "invalid" $value) }}
{{ $name }}: {{ toString $value | quote }}
{{- end }}
{{- end }}
{{- end }}

{{/* Variables of the container itself, which win over the ConfigMap: what the rest of the chart relies on. */}}
{{- define "kubecent.env" -}}
- name: PORT
  value: {{ int64 .Values.http.port | quote }}
{{- if .Values.cache.snapshot.enabled }}
- name: CACHE_SNAPSHOT_FILE
  value: /var/cache/kubecent/cache.snapshot
{{- end }}
{{- if or .Values.opencost.ca.existingConfigMap .Values.opencost.ca.existingSecret }}
- name: OPENCOST_CA_FILE
  value: /etc/kubecent/opencost/ca.crt
{{- end }}
{{- if or .Values.opencost.token .Values.opencost.existingSecret }}
- name: OPENCOST_TOKEN_FILE
  value: /etc/kubecent/opencost/token
{{- end }}
{{- if .Values.redis.urlKey }}
- name: REDIS_URL
  valueFrom:
    secretKeyRef:
      name: {{ .Values.redis.existingSecret }}
      key: {{ .Values.redis.urlKey }}
{{- else if .Values.redis.existingSecret }}
- name: REDIS_PASSWORD_FILE
  value: /etc/kubecent/redis/password
{{- end }}
{{- if or .Values.redis.ca.existingConfigMap .Values.redis.ca.existingSecret }}
- name: REDIS_CA_FILE
  value: /etc/kubecent/redis/ca.crt
{{- end }}
{{- if or .Values.auth.token .Values.auth.existingSecret }}
- name: AUTH_TOKEN_FILE
  value: /etc/kubecent/auth/token
{{- end }}
{{- if .Values.auth.metrics }}
- name: METRICS_AUTH
  value: "true"
{{- end }}
{{- if .Values.tls.existingSecret }}
- name: TLS_CERT_FILE
  value: /etc/kubecent/tls/tls.crt
- name: TLS_KEY_FILE
  value: /etc/kubecent/tls/tls.key
{{- end }}
{{- end }}

{{/* The files those variables name, as sources of one projected volume; nothing when there are none. */}}
{{- define "kubecent.fileSources" -}}
{{- $v := .Values }}
{{- with $v.opencost.ca.existingConfigMap }}
- configMap:
    name: {{ . }}
    items:
      - key: {{ $v.opencost.ca.key }}
        path: opencost/ca.crt
{{- end }}
{{- with $v.opencost.ca.existingSecret }}
- secret:
    name: {{ . }}
    items:
      - key: {{ $v.opencost.ca.key }}
        path: opencost/ca.crt
{{- end }}
{{- if $v.opencost.token }}
- secret:
    name: {{ include "kubecent.fullname" . }}
    items:
      - key: opencost-token
        path: opencost/token
{{- else if $v.opencost.existingSecret }}
- secret:
    name: {{ $v.opencost.existingSecret }}
    items:
      - key: {{ $v.opencost.existingSecretKey }}
        path: opencost/token
{{- end }}
{{- with $v.redis.ca.existingConfigMap }}
- configMap:
    name: {{ . }}
    items:
      - key: {{ $v.redis.ca.key }}
        path: redis/ca.crt
{{- end }}
{{- with $v.redis.ca.existingSecret }}
- secret:
    name: {{ . }}
    items:
      - key: {{ $v.redis.ca.key }}
        path: redis/ca.crt
{{- end }}
{{- if and $v.redis.existingSecret (not $v.redis.urlKey) }}
- secret:
    name: {{ $v.redis.existingSecret }}
    items:
      - key: {{ $v.redis.passwordKey }}
        path: redis/password
{{- end }}
{{- if $v.auth.token }}
- secret:
    name: {{ include "kubecent.fullname" . }}
    items:
      - key: auth-token
        path: auth/token
{{- else if $v.auth.existingSecret }}
- secret:
    name: {{ $v.auth.existingSecret }}
    items:
      - key: {{ $v.auth.existingSecretKey }}
        path: auth/token
{{- end }}
{{- with $v.tls.existingSecret }}
- secret:
    name: {{ . }}
    items:
      - key: tls.crt
        path: tls/tls.crt
      - key: tls.key
        path: tls/tls.key
{{- end }}
{{- end }}
