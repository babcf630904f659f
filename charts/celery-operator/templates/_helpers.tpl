{{- /* SPDX-License-Identifier: Apache-2.0 */}}

{{- /* What names begin with. No dots, which names of Services cannot have; at most 50 characters, since something is added. */}}
{{- define "celery-operator.fullname" -}}
{{- $name := .Values.fullnameOverride -}}
{{- if not $name -}}
{{- $name = ternary .Release.Name (printf "%s-celery-operator" .Release.Name) (contains "celery-operator" .Release.Name) -}}
{{- end -}}
{{- $name = replace "." "-" $name | trunc 50 | trimSuffix "-" -}}
{{- if not (regexMatch "^[a-z]" $name) -}}
{{- fail (printf "%q cannot begin the name of a Service: set fullnameOverride" $name) -}}
{{- end -}}
{{- $name -}}
{{- end }}

{{- /* The same for what belongs to the whole cluster. Releases of one name in several namespaces differ by the namespace, as
long as each looks after namespaces of its own; two for all namespaces exclude each other, and Helm says so. */}}
{{- define "celery-operator.clusterWideName" -}}
{{- include "celery-operator.fullname" . -}}
{{- if .Values.watchNamespaces -}}.{{ .Release.Namespace }}{{- end -}}
{{- end }}

{{- define "celery-operator.selectorLabels" -}}
app.kubernetes.io/name: celery-operator
app.kubernetes.io/instance: {{ include "celery-operator.fullname" . }}
{{- end }}

{{- define "celery-operator.labels" -}}
{{ include "celery-operator.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "celery-operator.serviceAccountName" -}}
{{- .Values.serviceAccount.name | default (include "celery-operator.fullname" .) -}}
{{- end }}

{{- define "celery-operator.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}
{{- end -}}
{{- end -}}
{{- end }}

{{- /* The Secret with certificates of somebody else; empty where the operator issues them. */}}
{{- define "celery-operator.certificateSecret" -}}
{{- if .Values.certificates.secretName -}}
{{ .Values.certificates.secretName }}
{{- else if .Values.certificates.issuerRef -}}
{{ include "celery-operator.fullname" . }}-webhook-tls
{{- end -}}
{{- end }}

{{- /* The API server labels each namespace with its name. */}}
{{- define "celery-operator.namespaceSelector" -}}
{{- if .Values.watchNamespaces -}}
matchExpressions:
- key: kubernetes.io/metadata.name
  operator: In
  values:
  {{- toYaml .Values.watchNamespaces | nindent 2 }}
{{- else -}}
{}
{{- end -}}
{{- end }}

{{- /* The webhooks of one configuration, with what values say of them. */}}
{{- define "celery-operator.webhooks" -}}
{{- $ := index . 0 -}}
{{- $webhooks := include (index . 1) $ | fromYamlArray -}}
{{- range $webhooks -}}
{{- $_ := set . "namespaceSelector" (include "celery-operator.namespaceSelector" $ | fromYaml) -}}
{{- $_ := set . "timeoutSeconds" $.Values.webhooks.timeoutSeconds -}}
{{- $_ := set .clientConfig.service "port" $.Values.webhooks.servicePort -}}
{{- if eq .failurePolicy "Fail" -}}
{{- $_ := set . "failurePolicy" $.Values.webhooks.failurePolicy -}}
{{- end -}}
{{- end -}}
{{- toYaml $webhooks -}}
{{- end }}

{{- define "celery-operator.subjects" -}}
- kind: ServiceAccount
  name: {{ include "celery-operator.serviceAccountName" . }}
  namespace: {{ .Release.Namespace }}
{{- end }}
