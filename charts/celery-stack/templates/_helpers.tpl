{{- /* SPDX-License-Identifier: Apache-2.0 */}}

{{- define "celery-stack.name" -}}
{{- $name := replace "." "-" .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- if not (regexMatch "^[a-z]" $name) -}}
{{- fail (printf "%q cannot begin the name of a Service: use another name for the release" $name) -}}
{{- end -}}
{{- $name -}}
{{- end }}

{{- define "celery-stack.labels" -}}
{{ include "celery-stack.selectorLabels" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "celery-stack.selectorLabels" -}}
app.kubernetes.io/name: celery-stack
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: broker
{{- end }}

{{- define "celery-stack.port" -}}
{{- ternary 6379 5672 (eq .Values.broker.type "redis") -}}
{{- end }}
