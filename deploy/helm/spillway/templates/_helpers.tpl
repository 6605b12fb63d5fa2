{{- define "spillway.name" -}}
{{- if contains "spillway" .Release.Name }}{{ .Release.Name | trunc 50 | trimSuffix "-" }}{{ else }}{{ printf "%s-spillway" .Release.Name | trunc 50 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "spillway.selector" -}}
app.kubernetes.io/name: spillway
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "spillway.labels" -}}
{{ include "spillway.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "spillway.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}{{ default (include "spillway.name" .) .Values.serviceAccount.name }}{{ else }}{{ default "default" .Values.serviceAccount.name }}{{ end }}
{{- end }}

{{/* What a stop takes at most, in seconds: the delay, answers under way, and 10 s for the rest. */}}
{{- define "spillway.graceSeconds" -}}
{{- $shutdown := default dict .Values.config.shutdown }}
{{- $ms := add (int (default 0 $shutdown.predelayMs)) (int (default 60000 $shutdown.timeoutMs)) }}
{{- add (div (add $ms 999) 1000) 10 }}
{{- end }}
