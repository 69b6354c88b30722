"""What the chart's values have to do, beyond that the result fits Kubernetes' schemas: a step of manifests.py.

`render` gives the documents for values, and `refusal` what Helm says of values that it does not take.
"""


def check(render, refusal):
    for step in (check_port, check_tls, check_client_certificates, check_secrets, check_extras, check_policy, check_monitors):
        step(render)
    check_refused(refusal)


def only(rendered, kind):
    (found,) = (document for document in rendered if document["kind"] == kind)
    return found


def spec_of(rendered):
    return only(rendered, "DaemonSet")["spec"]["template"]["spec"]


def parts(rendered):
    """The container, its variables by name, and where and how each secret is mounted, by its name."""
    spec = spec_of(rendered)
    (container,) = spec["containers"]
    environment = {entry["name"]: entry.get("value") for entry in container["env"]}
    mounts = {mount["name"]: mount for mount in container["volumeMounts"]}
    secrets = {volume["secret"]["secretName"]: (mounts[volume["name"]], volume["secret"]) for volume in spec["volumes"] if "secret" in volume}
    return container, environment, secrets


def probes(container):
    return [container["livenessProbe"], container["readinessProbe"]]


def check_port(render):
    for values, port, bound in (({}, 8003, "0.0.0.0:8003"), ({"port": 9400, "bindAddress": "[::]"}, 9400, "[::]:9400")):
        rendered = render(values)
        container, environment, _ = parts(rendered)
        assert environment["GPULSE_BIND"] == bound, environment
        assert "bind" not in only(rendered, "ConfigMap")["data"]["gpulse.toml"]
        assert container["ports"] == [{"name": "http", "containerPort": port, "protocol": "TCP"}]
        assert [probe["httpGet"]["port"] for probe in probes(container)] == ["http", "http"]
        # Headless: a client goes to the pod itself, on the port of the service.
        service = only(rendered, "Service")["spec"]
        assert service["clusterIP"] == "None"
        assert service["ports"] == [{"name": "http", "port": port, "targetPort": "http", "protocol": "TCP"}]


def check_tls(render):
    ca = {"ca": {"secret": {"name": "gpulse-tls", "key": "ca.crt"}}, "serverName": "gpulse"}
    monitors = {"podMonitor": {"enabled": True, "tlsConfig": ca}, "serviceMonitor": {"enabled": True, "tlsConfig": ca}}
    rendered = render({"tls": {"secret": "gpulse-tls"}, **monitors})
    container, environment, secrets = parts(rendered)
    mount, secret = secrets["gpulse-tls"]
    for name, key in (("GPULSE_TLS__CERTIFICATE", "tls.crt"), ("GPULSE_TLS__KEY", "tls.key")):
        assert environment[name] == f"{mount['mountPath']}/{key}", environment
        assert {"key": key, "path": key} in secret["items"], secret
    assert "GPULSE_TLS__CLIENT_CA" not in environment
    assert [(probe["httpGet"]["path"], probe["httpGet"]["scheme"]) for probe in probes(container)] == [
        ("/health/live", "HTTPS"),
        ("/health/ready", "HTTPS"),
    ]
    assert all((endpoint["scheme"], endpoint["tlsConfig"]) == ("https", ca) for endpoint in endpoints(rendered))
    plain = render(monitors)
    assert all("scheme" not in probe["httpGet"] for probe in probes(parts(plain)[0]))
    assert all("scheme" not in endpoint for endpoint in endpoints(plain))


def check_client_certificates(render):
    rendered = render({"tls": {"secret": "gpulse-tls", "clientCaSecret": "clients"}})
    container, environment, secrets = parts(rendered)
    mount, secret = secrets["clients"]
    assert environment["GPULSE_TLS__CLIENT_CA"] == f"{mount['mountPath']}/ca.crt", environment
    assert secret["items"] == [{"key": "ca.crt", "path": "ca.crt"}]
    assert environment["GPULSE_HTTP__INSECURE"] == "false", "everybody may read without a certificate"
    # The kubelet has no certificate.
    assert all("httpGet" not in probe and probe["tcpSocket"] == {"port": "http"} for probe in probes(container))


def check_secrets(render):
    """Secrets can be read by the agent and by nobody else, and no more of them is mounted than it reads."""
    everything = {"auth": {"tokensSecret": "tokens"}, "tls": {"secret": "tls", "clientCaSecret": "clients"}}
    for pods in (False, True):
        rendered = render({**everything, "pods": {"enabled": pods}})
        user = spec_of(rendered)["securityContext"]
        # Files of secrets belong to root, and to the group where one is named. Root has no capability to read those of others.
        assert user["runAsUser"] == 0 or user["fsGroup"] == user["runAsGroup"], user
        _, environment, secrets = parts(rendered)
        assert set(secrets) == {"tokens", "tls", "clients"}
        for mount, secret in secrets.values():
            assert mount["readOnly"] and secret["defaultMode"] == 0o440, secret
        mount, secret = secrets["tokens"]
        assert secret["items"] == [{"key": "tokens", "path": "tokens"}], "the token itself is mounted beside its hash"
        assert environment["GPULSE_AUTH__TOKENS_FILE"] == f"{mount['mountPath']}/tokens"


def check_extras(render):
    volume = {"name": "otlp", "secret": {"secretName": "otlp", "defaultMode": 0o440}}
    mount = {"name": "otlp", "mountPath": "/etc/gpulse-otlp", "readOnly": True}
    source = {"secretRef": {"name": "site"}}
    term = {"matchExpressions": [{"key": "gpu", "operator": "Exists"}]}
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}}
    rendered = render({
        "extraVolumes": [volume], "extraVolumeMounts": [mount], "extraEnvFrom": [source], "affinity": affinity,
        "extraEnv": [{"name": "GPULSE_OTLP__CA", "value": "/etc/gpulse-otlp/ca.crt"}],
        "serviceAccount": {"create": True, "annotations": {"a": "b"}}, "service": {"annotations": {"c": "d"}},
        "priorityClassName": "system-node-critical",
    })
    spec, (container, environment, _) = spec_of(rendered), parts(rendered)
    assert volume in spec["volumes"] and mount in container["volumeMounts"]
    assert container["envFrom"] == [source] and environment["GPULSE_OTLP__CA"] == "/etc/gpulse-otlp/ca.crt"
    assert spec["affinity"] == affinity and spec["priorityClassName"] == "system-node-critical"
    account = only(rendered, "ServiceAccount")
    assert spec["serviceAccountName"] == account["metadata"]["name"] and account["metadata"]["annotations"] == {"a": "b"}
    assert only(rendered, "Service")["metadata"]["annotations"] == {"c": "d"}
    # One that is there already is used and not made; neither gives the pod a token.
    theirs = render({"serviceAccount": {"name": "theirs"}})
    assert spec_of(theirs)["serviceAccountName"] == "theirs"
    assert all(document["kind"] != "ServiceAccount" for document in theirs)
    assert "serviceAccountName" not in spec_of(render({}))
    for token in (spec, spec_of(theirs), account):
        assert token["automountServiceAccountToken"] is False


def check_policy(render):
    def ingress(namespaces):
        return only(render({"networkPolicy": {"namespaces": namespaces}}), "NetworkPolicy")["spec"]["ingress"]

    (rule,) = ingress(["a", "b"])
    assert [peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"] for peer in rule["from"]] == ["a", "b"]
    # A rule whose `from` is empty lets everybody in.
    assert ingress([]) == [] and ingress(None) == []


def endpoints(rendered):
    """Of both monitors, which say the same."""
    (pod,), (service,) = only(rendered, "PodMonitor")["spec"]["podMetricsEndpoints"], only(rendered, "ServiceMonitor")["spec"]["endpoints"]
    return [pod, service]


def check_monitors(render):
    job = {"targetLabel": "job", "replacement": "dcgm-exporter"}
    drop = {"sourceLabels": ["__name__"], "regex": "DCGM_FI_PROF_.*", "action": "drop"}
    for honor in (True, False):
        values = {
            "enabled": True, "interval": "30s", "scrapeTimeout": "5s", "labels": {"release": "x"}, "honorLabels": honor,
            "relabelings": [job], "metricRelabelings": [drop],
        }
        rendered = render({"podMonitor": values, "serviceMonitor": values, "auth": {"tokensSecret": "tokens"}})
        for endpoint in endpoints(rendered):
            assert (endpoint["interval"], endpoint["scrapeTimeout"], endpoint["honorLabels"]) == ("30s", "5s", honor)
            assert endpoint["metricRelabelings"] == [drop]
            # The site's come last, so that they win.
            assert endpoint["relabelings"][-1] == job and len(endpoint["relabelings"]) > 1
            # Without the target's own `pod` nothing would be named `exported_pod`.
            drops = any(rule.get("action") == "labeldrop" for rule in endpoint["relabelings"])
            assert drops == honor, endpoint["relabelings"]
            assert endpoint["authorization"] == {"credentials": {"name": "tokens", "key": "scraper"}}
        for kind in ("PodMonitor", "ServiceMonitor"):
            assert only(rendered, kind)["metadata"]["labels"]["release"] == "x"


def check_refused(refusal):
    for values, words in (
        ({"config": 'agent_id = "x"\nbind = "0.0.0.0:9400"\n'}, "config sets bind: set the values port"),
        ({"config": '"bind"=["0.0.0.0:9400"]\n'}, "config sets bind: set the values port"),
        ({"config": '[tls]\ncertificate = "/a"\n'}, "tls.secret"),
        ({"config": 'tls.certificate = "/a"\n'}, "tls.secret"),
        ({"extraEnv": [{"name": "GPULSE_BIND", "value": "0.0.0.0:1"}]}, "extraEnv sets GPULSE_BIND"),
        ({"extraEnv": [{"name": "GPULSE_TLS__KEY", "value": "/a"}]}, "extraEnv sets GPULSE_TLS__KEY"),
        ({"tls": {"clientCaSecret": "clients"}}, "needs tls.secret"),
        ({"tls": {"secret": "Not A Name"}}, "pattern"),
        ({"port": 0}, "minimum"),
        ({"port": "9400"}, "integer"),
        ({"service": {"port": 9400}}, "port"),
        ({"bindAddress": "localhost"}, "bindAddress"),
        ({"extraVolumes": [{"emptyDir": {}}]}, "name"),
        ({"extraVolumeMounts": [{"name": "x", "mountPath": "here"}]}, "mountPath"),
        ({"affinity": {"nodeAfinity": {}}}, "nodeAfinity"),
        ({"podMonitor": {"scheme": "https"}}, "scheme"),
        ({"serviceMonitor": {"honorLabels": "yes"}}, "honorLabels"),
        ({"serviceMonitor": {"scrapeTimeout": "soon"}}, "scrapeTimeout"),
    ):
        said = refusal(values)
        assert words in said, f"{values} is not refused for `{words}`: {said}"
