{{- define "gpulse.name" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "gpulse.selector" -}}
app.kubernetes.io/name: gpulse
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "gpulse.labels" -}}
{{ include "gpulse.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "gpulse.relabelings" -}}
# A node, and not an address that changes with the pod.
- sourceLabels: [__meta_kubernetes_pod_node_name]
  targetLabel: instance
# Whoever holds no GPU must not be taken for the agent's own pod.
- regex: pod|namespace|container
  action: labeldrop
{{- end -}}
