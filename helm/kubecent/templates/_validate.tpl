{{/* SPDX-License-Identifier: Apache-2.0 */}}

{{/* What the schema cannot see: values that contradict each other. All of them are reported at once. */}}
{{- define "kubecent.validate" -}}
{{- $v := .Values }}
{{- $faults := list }}
{{- if and $v.image.tag $v.image.digest }}
{{- $faults = append $faults "image.tag and image.digest are both set: give one" }}
{{- end }}
{{- if and $v.opencost.token $v.opencost.existingSecret }}
{{- $faults = append $faults "opencost.token and opencost.existingSecret are both set: give one" }}
{{- end }}
{{- if and $v.auth.token $v.auth.existingSecret }}
{{- $faults = append $faults "auth.token and auth.existingSecret are both set: give one" }}
{{- end }}
{{- if and $v.auth.metrics (not (or $v.auth.token $v.auth.existingSecret)) }}
{{- $faults = append $faults "auth.metrics is of no use without auth.token or auth.existingSecret" }}
{{- end }}
{{- if and $v.serviceMonitor.authorization (not $v.auth.metrics) }}
{{- $faults = append $faults "serviceMonitor.authorization is of no use without auth.metrics" }}
{{- end }}
{{- if and $v.opencost.ca.existingConfigMap $v.opencost.ca.existingSecret }}
{{- $faults = append $faults "opencost.ca.existingConfigMap and opencost.ca.existingSecret are both set: give one" }}
{{- end }}
{{- if and (or $v.opencost.ca.existingConfigMap $v.opencost.ca.existingSecret) (not $v.existingConfigMap) }}
{{- if not (hasPrefix "https:" $v.opencost.url) }}
{{- $faults = append $faults "opencost.ca is of no use to an opencost.url that is not https" }}
{{- end }}
{{- end }}
{{- if and $v.redis.url $v.redis.urlKey }}
{{- $faults = append $faults "redis.url and redis.urlKey are both set: give one" }}
{{- end }}
{{- if and $v.redis.urlKey (not $v.redis.existingSecret) }}
{{- $faults = append $faults "redis.urlKey names a key of redis.existingSecret, which is empty" }}
{{- end }}
{{- if and $v.redis.existingSecret (not (or $v.redis.url $v.redis.urlKey $v.existingConfigMap)) }}
{{- $faults = append $faults "redis.existingSecret is of no use without redis.url or redis.urlKey" }}
{{- end }}
{{- if and $v.redis.ca.existingConfigMap $v.redis.ca.existingSecret }}
{{- $faults = append $faults "redis.ca.existingConfigMap and redis.ca.existingSecret are both set: give one" }}
{{- end }}
{{- if and (or $v.redis.ca.existingConfigMap $v.redis.ca.existingSecret) (not (or (hasPrefix "rediss:" $v.redis.url) $v.redis.urlKey $v.existingConfigMap)) }}
{{- $faults = append $faults "redis.ca is of no use to a redis.url that is not rediss" }}
{{- end }}
{{- if $v.autoscaling.enabled }}
{{- if gt (int64 $v.autoscaling.minReplicas) (int64 $v.autoscaling.maxReplicas) }}
{{- $faults = append $faults "autoscaling.minReplicas is above autoscaling.maxReplicas" }}
{{- end }}
{{- range $resource, $target := dict "cpu" $v.autoscaling.targetCPUUtilizationPercentage "memory" $v.autoscaling.targetMemoryUtilizationPercentage }}
{{- if and $target (not (dig "requests" $resource "" $v.resources)) }}
{{- $faults = append $faults (printf "autoscaling by %s needs resources.requests.%s" $resource $resource) }}
{{- end }}
{{- end }}
{{- if not (or $v.autoscaling.targetCPUUtilizationPercentage $v.autoscaling.targetMemoryUtilizationPercentage) }}
{{- $faults = append $faults "autoscaling has no target: give CPU, memory or both" }}
{{- end }}
{{- end }}
{{- if and $v.cache.snapshot.existingClaim (not $v.cache.snapshot.enabled) }}
{{- $faults = append $faults "cache.snapshot.existingClaim is of no use without cache.snapshot.enabled" }}
{{- else if and $v.cache.snapshot.existingClaim (or $v.autoscaling.enabled (gt (int64 $v.replicaCount) 1)) }}
{{- $faults = append $faults "cache.snapshot.existingClaim is one file: several pods would write it over each other" }}
{{- end }}
{{- $budget := $v.podDisruptionBudget }}
{{- if $budget.enabled }}
{{- $pods := $v.autoscaling.enabled | ternary $v.autoscaling.minReplicas $v.replicaCount }}
{{- if not (or (kindIs "invalid" $budget.minAvailable) (kindIs "invalid" $budget.maxUnavailable)) }}
{{- $faults = append $faults "podDisruptionBudget.minAvailable and podDisruptionBudget.maxUnavailable are both set: give one" }}
{{- end }}
{{- if and (not (kindIs "string" $budget.minAvailable)) (ge (int64 $budget.minAvailable) (int64 $pods)) $budget.minAvailable }}
{{- $faults = append $faults (printf "podDisruptionBudget.minAvailable %d of %d pods would keep nodes from being drained" (int64 $budget.minAvailable) (int64 $pods)) }}
{{- end }}
{{- end }}
{{- if and $v.httpRoute.enabled (not $v.httpRoute.parentRefs) }}
{{- $faults = append $faults "httpRoute.parentRefs names no Gateway" }}
{{- end }}
{{- $stopping := add (int64 ($v.shutdown.delay | default 0)) (int64 ($v.shutdown.timeout | default 15)) }}
{{- if le (int64 $v.terminationGracePeriodSeconds) $stopping }}
{{- $faults = append $faults (printf "terminationGracePeriodSeconds must be above shutdown.delay and shutdown.timeout together, %d" $stopping) }}
{{- end }}
{{- $set := include "kubecent.env" . | fromYamlArray }}
{{- range $v.extraEnv }}
{{- $name := .name }}
{{- range $set }}
{{- if eq .name $name }}
{{- $faults = append $faults (printf "extraEnv sets %s, which the chart sets itself" $name) }}
{{- end }}
{{- end }}
{{- end }}
{{- if $faults }}
{{- fail (printf "\n- %s" (join "\n- " $faults)) }}
{{- end }}
{{- end }}
