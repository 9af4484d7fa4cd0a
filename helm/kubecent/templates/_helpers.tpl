{{/* SPDX-License-Identifier: Apache-2.0 */}}

{{- define "kubecent.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "kubecent.fullname" -}}
{{- $name := include "kubecent.name" . }}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else if contains $name .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{/* The name of a test pod: 63 characters hold the suffix too. */}}
{{- define "kubecent.testName" -}}
{{- printf "%s-test" (include "kubecent.fullname" . | trunc 58 | trimSuffix "-") }}
{{- end }}

{{- define "kubecent.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- .Values.serviceAccount.name | default (include "kubecent.fullname" .) }}
{{- else }}
{{- .Values.serviceAccount.name | default "default" }}
{{- end }}
{{- end }}

{{- define "kubecent.configMapName" -}}
{{- .Values.existingConfigMap | default (include "kubecent.fullname" .) }}
{{- end }}

{{/* Names of the application and the release; what component it is, the caller adds. */}}
{{- define "kubecent.instanceLabels" -}}
app.kubernetes.io/name: {{ include "kubecent.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* Never a version: a Deployment's selector cannot change. */}}
{{- define "kubecent.selectorLabels" -}}
{{ include "kubecent.instanceLabels" . }}
app.kubernetes.io/component: backend
{{- end }}

{{- define "kubecent.testLabels" -}}
{{ include "kubecent.instanceLabels" . }}
app.kubernetes.io/component: test
{{- end }}

{{/* Labels of every resource, beside those that say what it is. */}}
{{- define "kubecent.sharedLabels" -}}
app.kubernetes.io/part-of: kubecent
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "kubecent.labels" -}}
{{ include "kubecent.selectorLabels" . }}
{{ include "kubecent.sharedLabels" . }}
{{- end }}

{{- define "kubecent.image" -}}
{{- if .Values.image.digest }}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) }}
{{- end }}
{{- end }}

{{- define "kubecent.scheme" -}}
{{- .Values.tls.existingSecret | empty | ternary "http" "https" }}
{{- end }}

{{/* An HTTP probe: what is asked is ours, when and how often the values'. */}}
{{- define "kubecent.probe" -}}
httpGet:
  path: {{ .path }}
  port: http
  scheme: {{ include "kubecent.scheme" .root | upper }}
{{- with .timing }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/*
Ports of a NetworkPolicy toward Redis, nothing without one: those given, or those in its address, or the usual one. A
Sentinel names servers that the address does not, so the usual one is among them.
*/}}
{{- define "kubecent.redisPorts" -}}
{{- $redis := .Values.redis }}
{{- $ports := .Values.networkPolicy.redisPorts }}
{{- if and (not $ports) (or $redis.urlKey (hasPrefix "redis" $redis.url)) }}
{{- $authority := regexReplaceAll "^[a-z+]*://([^/]*@)?|/.*$" $redis.url "" }}
{{- range regexFindAll ":[0-9]+(,|$)" $authority -1 }}
{{- $ports = append $ports (regexFind "[0-9]+" . | int64) }}
{{- end }}
{{- if or (not $ports) (hasPrefix "redis+sentinel:" $redis.url) }}
{{- $ports = append $ports (int64 6379) }}
{{- end }}
{{- end }}
{{- range $ports | uniq }}
- port: {{ int64 . }}
  protocol: TCP
{{- end }}
{{- end }}
