"""Checks what lies in deploy for containers and Kubernetes, and what docs/MIGRATING.md says of it: `manifests.py HELM KUBECTL DEPLOY SCRATCH`.

Renders the chart and the plain manifests with the real tools, holds the result against Kubernetes' schemas and against each other,
and prints, as JSON, what configuration the agents are given, so that an agent can be asked whether it takes it.
"""

import json
import os
import re
import subprocess
import sys
import tomllib

import jsonschema
import kubernetes_validate
import yaml

import chart as checks

helm, kubectl, deploy, scratch = sys.argv[1:]
chart = os.path.join(deploy, "helm/gpulse")

# The oldest that the chart permits and has a schema here, and the newest.
VERSIONS = ["1.25.0", "1.37.0"]

# Kinds of the Prometheus operator, whose schemas are not at hand.
WITHOUT_SCHEMA = {"PodMonitor", "ServiceMonitor", "PrometheusRule"}

EVERYTHING = [
    "podMonitor.enabled=true", "serviceMonitor.enabled=true", "prometheusRule.enabled=true", "pods.enabled=true",
    "processes.enabled=true", "auth.tokensSecret=gpulse-tokens", "image.pullSecrets[0].name=registry",
    "priorityClassName=system-node-critical", "podLabels.a=b", "podAnnotations.c=d", "podMonitor.labels.release=prometheus",
    "extraEnv[0].name=GPULSE_SAMPLER__INTERVAL", "extraEnv[0].value=500ms", "port=9400", "tls.secret=gpulse-tls",
    "tls.clientCaSecret=gpulse-clients", "serviceAccount.create=true", "service.annotations.e=f",
]

# What the schema of the values has to refuse, with a word of what it says.
REFUSED = [
    ("podz.enabled=true", "podz"), ("pods.enabled=maybe", "boolean"), ("port=0", "minimum"),
    ("image.pullPolicy=Sometimes", "pullPolicy"), ("podMonitor.interval=often", "interval"), ("config=", "config"),
    ("pods.directory=here", "directory"), ("extraEnv[0].value=x", "name"),
]


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)}: {done.stderr}{done.stdout}")
    return done.stdout


def documents(text):
    return [document for document in yaml.safe_load_all(text) if document]


def template(settings):
    arguments = [part for setting in settings for part in ("--set", setting)]
    return documents(run(helm, "template", "gpulse", chart, "--namespace", "gpulse", *arguments))


def render(values):
    """What the chart makes of values, which fits Kubernetes' schemas."""
    rendered = documents(run(helm, "template", "gpulse", chart, "--namespace", "gpulse", "--values", written(values)))
    fits(rendered)
    return rendered


def refusal(values):
    """What Helm says of values that it does not take; nothing if it takes them."""
    command = [helm, "template", "gpulse", chart, "--values", written(values)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stderr if done.returncode else ""


def written(values):
    path = os.path.join(scratch, "values.json")
    with open(path, "w") as file:
        json.dump(values, file)
    return path


def kustomize(components):
    """The plain manifests, with components that an overlay adds."""
    overlay = os.path.join(scratch, "-".join(["overlay", *components]))
    os.makedirs(overlay)
    base = os.path.relpath(os.path.join(os.path.realpath(deploy), "kubernetes"), os.path.realpath(overlay))
    overlaid = {"resources": [base], "components": [f"{base}/components/{name}" for name in components]}
    with open(os.path.join(overlay, "kustomization.yaml"), "w") as file:
        yaml.safe_dump(overlaid, file)
    return documents(run(kubectl, "kustomize", overlay))


def fits(rendered):
    for document in rendered:
        if document["kind"] in WITHOUT_SCHEMA:
            continue
        for version in VERSIONS:
            kubernetes_validate.validate(document, version, strict=True)


def only(rendered, kind):
    (found,) = (document for document in rendered if document["kind"] == kind)
    return found


def pod(rendered):
    """The specification of the pods; of what is a default of Kubernetes, and of what can be set, the chart says more."""
    spec = only(rendered, "DaemonSet")["spec"]["template"]["spec"]
    for container in spec["containers"]:
        container.pop("imagePullPolicy", None)
        # The manifests have it in the file.
        container["env"] = [entry for entry in container["env"] if entry["name"] != "GPULSE_BIND"]
    return spec


def configuration(rendered):
    """The file, and the variables beside it; before `pod`, which takes some of them away."""
    text = only(rendered, "ConfigMap")["data"]["gpulse.toml"]
    tomllib.loads(text)
    container = only(rendered, "DaemonSet")["spec"]["template"]["spec"]["containers"][0]
    environment = {entry["name"]: entry.get("value", "node-1") for entry in container["env"]}
    return {"toml": text, "environment": {k: v for k, v in environment.items() if k.startswith("GPULSE_")}}


def check_chart():
    run(helm, "lint", "--strict", chart)
    with open(os.path.join(chart, "values.schema.json")) as file:
        jsonschema.Draft7Validator.check_schema(json.load(file))
    for setting, word in REFUSED:
        done = subprocess.run([helm, "template", "gpulse", chart, "--set", setting], capture_output=True, text=True, check=False)
        assert done.returncode != 0 and word in done.stderr, f"{setting} is not refused for `{word}`: {done.stderr}"
    plain, everything = template([]), template(EVERYTHING)
    fits(plain)
    fits(everything)
    assert {document["kind"] for document in everything} >= WITHOUT_SCHEMA
    groups = only(everything, "PrometheusRule")["spec"]["groups"]
    shipped = [group for name in ("recording", "alerts") for group in load(f"prometheus/{name}.yml")["groups"]]
    assert groups == shipped, "the chart has other rules"
    checks.check(render, refusal)
    return plain, everything


def documented():
    """What a page tells people to set: files for the agent, and values for the chart. Returns configurations, as below."""
    with open(os.path.join(deploy, "../docs/MIGRATING.md")) as file:
        blocks = re.findall(r"^```(toml|yaml)\n(.*?)^```$", file.read(), re.DOTALL | re.MULTILINE)
    files = [text for kind, text in blocks if kind == "toml"]
    values = [parsed for parsed in (yaml.safe_load(text) for kind, text in blocks if kind == "yaml") if "scrape_configs" not in parsed]
    assert len(files) == 2 and len(values) == 2, f"{len(files)} files and {len(values)} sets of values"
    for text in files:
        tomllib.loads(text)
    return [{"toml": text, "environment": {"GPULSE_AGENT_ID": "node-1"}} for text in files] + [configuration(render(each)) for each in values]


def check_plain(chart_plain):
    """The manifests render, fit, and say what the chart says."""
    base, added = kustomize([]), kustomize(["pods", "processes"])
    fits(base)
    fits(added)
    assert pod(base) == pod(chart_plain), "the pods of the manifests and of the chart differ"
    with_both = pod(template(["pods.enabled=true", "processes.enabled=true"]))
    # The socket lies where the agent looks by default, and the chart, where it can be set, says so.
    environment = with_both["containers"][0]["env"]
    with_both["containers"][0]["env"] = [entry for entry in environment if entry["name"] != "GPULSE_KUBERNETES__POD_RESOURCES_SOCKET"]
    assert pod(added) == with_both, "with components the pods of the manifests and of the chart differ"
    for name in ("podmonitor", "servicemonitor"):
        monitor = load(f"kubernetes/monitoring/{name}.yaml")
        rendered = only(template([f"{'podMonitor' if name[0] == 'p' else 'serviceMonitor'}.enabled=true"]), monitor["kind"])
        # The chart tells several releases apart.
        del rendered["spec"]["selector"]["matchLabels"]["app.kubernetes.io/instance"]
        assert monitor["spec"] == rendered["spec"], f"{name} differs from the chart's"
    return base, added


def load(path):
    with open(os.path.join(deploy, path)) as file:
        return yaml.safe_load(file)


def check_compose():
    import compose_spec

    path = os.path.join(deploy, "compose/compose.yaml")
    with open(path) as file:
        text = file.read()
    # It knows no merge keys, which YAML resolves.
    compose = yaml.safe_load(text)
    compose_spec.PyCompose.from_yaml(yaml.safe_dump(compose))
    services = compose["services"]
    targets = [target for job in load("compose/prometheus.yml")["scrape_configs"] for config in job["static_configs"] for target in config["targets"]]
    assert targets and all(target.split(":")[0] in services for target in targets), targets
    for name, service in services.items():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            there = os.path.exists(os.path.join(deploy, "compose", source)) if source[0] == "." else source in compose["volumes"]
            assert there, f"{name}: {source} is not there"
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), f"{name} is served beyond this machine"
    for source in load("grafana/provisioning/datasources/gpulse.yml")["datasources"]:
        host = re.match(r"http://([^:]+):", source["url"]).group(1)
        assert host in services, f"the data source {source['name']} has no service"
    (provider,) = load("grafana/provisioning/dashboards/gpulse.yml")["providers"]
    mounts = [volume.split(":")[1] for volume in services["grafana"]["volumes"]]
    assert provider["options"]["path"] in mounts, "Grafana looks for dashboards where none are mounted"
    return {service["build"]["target"] for service in services.values() if "build" in service}


def check_containerfile(targets):
    with open(os.path.join(deploy, "container/Containerfile")) as file:
        lines = [line.split() for line in file.read().replace("\\\n", " ").splitlines()]
    with open(os.path.join(deploy, "container/Containerfile.dockerignore")) as file:
        kept = {line[1:].strip() for line in file if line.startswith("!")}
    stages = {line[3] for line in lines if line[:1] == ["FROM"]}
    assert targets <= stages, f"compose builds a stage that is not there: {targets}"
    for line in lines:
        if line[:1] == ["COPY"] and not line[1].startswith("--from"):
            for source in line[1:-1]:
                assert source in kept, f"{source} is ignored"
                assert os.path.exists(os.path.join(deploy, "..", source)), f"{source} is not there"
    users = [line[1] for line in lines if line[:1] == ["USER"]]
    assert users and all(user.split(":")[0] not in ("0", "root") for user in users), "the image runs as root"


def check_collector():
    collector = load("otel/collector.yaml")
    used = {kind: set() for kind in ("receivers", "processors", "exporters")}
    for pipeline in collector["service"]["pipelines"].values():
        for kind, names in pipeline.items():
            used[kind].update(names)
    for kind, names in used.items():
        assert names == set(collector[kind]), f"{kind}: used {names}, defined {set(collector[kind])}"


chart_plain, everything = check_chart()
configurations = [configuration(rendered) for rendered in (chart_plain, everything)]
configurations += [configuration(rendered) for rendered in check_plain(chart_plain)] + documented()
check_containerfile(check_compose())
check_collector()
print(json.dumps(configurations))
