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

{{- define "gpulse.account" -}}
{{- if .Values.serviceAccount.name -}}
{{- .Values.serviceAccount.name -}}
{{- else if .Values.serviceAccount.create -}}
{{- include "gpulse.name" . -}}
{{- end -}}
{{- end -}}

{{- define "gpulse.scheme" -}}
{{- ternary "https" "http" (not (empty .Values.tls.secret)) -}}
{{- end -}}

{{- /* What the schema cannot say: values that contradict each other, and would make agents that nobody reaches. */ -}}
{{- define "gpulse.check" -}}
{{- if regexMatch `(?m)^[ \t]*["']?bind["']?[ \t]*=` .Values.config -}}
{{- fail "config sets bind: set the values port and bindAddress instead, which the container, the probes and the service follow" -}}
{{- end -}}
{{- if and (not .Values.tls.secret) (regexMatch `(?m)^[ \t]*(\[[ \t]*tls[ \t]*\]|tls[ \t]*[.=])` .Values.config) -}}
{{- fail "config has the section tls: name the secret with the certificate in the value tls.secret, which the probes and the monitors follow" -}}
{{- end -}}
{{- if and .Values.tls.clientCaSecret (not .Values.tls.secret) -}}
{{- fail "tls.clientCaSecret needs tls.secret: client certificates are shown over TLS" -}}
{{- end -}}
{{- range .Values.extraEnv -}}
{{- if has .name (list "GPULSE_BIND" "GPULSE_TLS__CERTIFICATE" "GPULSE_TLS__KEY" "GPULSE_TLS__CLIENT_CA") -}}
{{- fail (printf "extraEnv sets %s: set the values port, bindAddress and tls instead, which the probes and the monitors follow" .name) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* How the kubelet asks, given the path. */ -}}
{{- define "gpulse.probe" -}}
{{- if .root.Values.tls.clientCaSecret -}}
# The kubelet has no certificate to show.
tcpSocket:
  port: http
{{- else -}}
httpGet:
  path: {{ .path }}
  port: http
  {{- if .root.Values.tls.secret }}
  scheme: HTTPS
  {{- end }}
{{- end -}}
{{- end -}}

{{- /* What both monitors say of an agent, given the values of one. */ -}}
{{- define "gpulse.endpoint" -}}
port: http
path: /metrics
interval: {{ .monitor.interval }}
{{- with .monitor.scrapeTimeout }}
scrapeTimeout: {{ . }}
{{- end }}
{{- if .root.Values.tls.secret }}
scheme: https
{{- end }}
{{- with .monitor.tlsConfig }}
tlsConfig:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.auth.tokensSecret }}
# The token itself, and not its hash, in the key `scraper` of the same secret.
authorization:
  credentials:
    name: {{ . }}
    key: scraper
{{- end }}
{{- if .monitor.honorLabels }}
# `pod`, `namespace` and `container` of a series are who holds the GPU, and not who was scraped.
{{- else }}
# `exported_pod`, `exported_namespace` and `exported_container` of a series are who holds the GPU.
{{- end }}
honorLabels: {{ .monitor.honorLabels }}
relabelings:
  # A node, and not an address that changes with the pod.
  - sourceLabels: [__meta_kubernetes_pod_node_name]
    targetLabel: instance
  {{- if .monitor.honorLabels }}
  # Whoever holds no GPU must not be taken for the agent's own pod.
  - regex: pod|namespace|container
    action: labeldrop
  {{- end }}
  {{- with .monitor.relabelings }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with .monitor.metricRelabelings }}
metricRelabelings:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
