"""The manifests are consistent with each other, with docker-compose.yml and with the code."""

from __future__ import annotations

import ast
import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import mlflow.environment_variables
import pytest

from service.runtime.lifetime import STOP_SECONDS
from tests.deploy.rendered import (
    BASE,
    KSERVE,
    KUBERNETES,
    OVERLAYS,
    ROOT,
    Document,
    compose,
    containers,
    environment,
    main_container,
    of_kind,
    pods,
    read,
    render,
    selects,
)
from tests.sources import closure, tree

ALL = [BASE, *OVERLAYS]
PRODUCTION = KUBERNETES / "overlays" / "production"
REGISTRY = KUBERNETES / "overlays" / "champion-from-registry"
UNITS = {"": 1, "k": 10**3, "m": 2**20, "g": 2**30, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}
"""Units in bytes; Docker's m and g are Kubernetes's Mi and Gi."""
SERVERS = ("service", "page")
ENTRIES = {"service": "service/service.py", "page": "ui/page.py", "follower": "pipeline/follow.py"}
"""The Python file that each container runs."""

every_overlay = pytest.mark.parametrize("folder", ALL, ids=lambda folder: folder.name)


def number(quantity: str) -> int:
    match = re.fullmatch(r"(\d+)([A-Za-z]*)", quantity)
    assert match, quantity
    return int(match[1]) * UNITS[match[2]]


def seconds(duration: str) -> int:
    return int(duration.removesuffix("s"))


def every_container() -> dict[str, tuple[Document, Document]]:
    """Each container of the overlay with all components, by name, together with its pod."""
    return {one["name"]: (pod, one) for pod in pods(render(PRODUCTION)).values() for one in containers(pod)}


def every_pod_spec() -> list[Document]:
    """The specs of all pods in these manifests."""
    (filler,) = read(KUBERNETES / "filler.yaml")
    (inference,) = read(KSERVE / "service.yaml")
    deployed = [pod["spec"] for folder in ALL for pod in pods(render(folder)).values()]
    return [*deployed, filler["spec"], inference["spec"]["predictor"]]


@every_overlay
def test_every_port_that_is_named_exists(folder: Path) -> None:
    documents = render(folder)
    for service in of_kind(documents, "Service").values():
        selected = [pod for pod in pods(documents).values() if selects(service["spec"]["selector"], pod)]
        assert len(selected) == 1, "a Service leads to one Deployment's pods"
        ports = {port["name"] for port in main_container(selected[0])["ports"]}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= ports
    for pod in pods(documents).values():
        container = main_container(pod)
        ports = {port["name"] for port in container["ports"]}
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            assert container[probe]["httpGet"]["port"] in ports


def test_ingress_and_monitor_name_ports_that_the_services_have() -> None:
    documents = render(PRODUCTION)
    services = of_kind(documents, "Service")
    (ingress,) = of_kind(documents, "Ingress").values()
    backends = [
        path["backend"]["service"] for rule in ingress["spec"]["rules"] for path in rule["http"]["paths"]
    ]
    assert {backend["name"] for backend in backends} == set(services)
    for backend in backends:
        ports = {port["name"] for port in services[backend["name"]]["spec"]["ports"]}
        assert backend["port"]["name"] in ports
    (monitor,) = of_kind(documents, "ServiceMonitor").values()
    watched = [
        service
        for service in services.values()
        if monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    ]
    assert [service["metadata"]["name"] for service in watched] == ["digits-service"]
    ports = {port["name"] for port in watched[0]["spec"]["ports"]}
    assert {endpoint["port"] for endpoint in monitor["spec"]["endpoints"]} <= ports


def test_hosts_of_the_ingress_are_let_in() -> None:
    documents = render(PRODUCTION)
    (ingress,) = of_kind(documents, "Ingress").values()
    for rule in ingress["spec"]["rules"]:
        (path,) = rule["http"]["paths"]
        pod = pods(documents)[path["backend"]["service"]["name"]]
        assert environment(main_container(pod), documents)["ALLOWED_HOSTS"] == rule["host"]


@every_overlay
def test_selectors_match_labels(folder: Path) -> None:
    documents = render(folder)
    deployments = of_kind(documents, "Deployment")
    for name, deployment in deployments.items():
        assert selects(deployment["spec"]["selector"]["matchLabels"], pods(documents)[name])
        for spread in deployment["spec"]["template"]["spec"].get("topologySpreadConstraints", ()):
            assert selects(spread["labelSelector"]["matchLabels"], pods(documents)[name])
    (budget,) = of_kind(documents, "PodDisruptionBudget").values()
    assert [
        name
        for name, pod in pods(documents).items()
        if selects(budget["spec"]["selector"]["matchLabels"], pod)
    ] == ["digits-service"]
    (scaler,) = of_kind(documents, "HorizontalPodAutoscaler").values()
    scaled = deployments[scaler["spec"]["scaleTargetRef"]["name"]]
    assert "replicas" not in scaled["spec"], "each `kubectl apply` would undo what the autoscaler has set"
    assert scaler["spec"]["minReplicas"] > budget["spec"]["maxUnavailable"], "a drained node would stop it"


@every_overlay
def test_every_name_that_a_pod_refers_to_is_there(folder: Path) -> None:
    documents = render(folder)
    for pod in pods(documents).values():
        spec = pod["spec"]
        assert spec["serviceAccountName"] in of_kind(documents, "ServiceAccount")
        volumes = {volume["name"]: volume for volume in spec["volumes"]}
        mounted = {mount["name"] for one in containers(pod) for mount in one["volumeMounts"]}
        assert mounted == set(volumes)
        for volume in volumes.values():
            if "persistentVolumeClaim" in volume:
                assert volume["persistentVolumeClaim"]["claimName"] in of_kind(
                    documents, "PersistentVolumeClaim"
                )
        for one in containers(pod):
            for source in one["envFrom"]:
                assert source["configMapRef"]["name"] in of_kind(documents, "ConfigMap")


@every_overlay
def test_everything_is_in_the_one_namespace(folder: Path) -> None:
    documents = render(folder)
    (namespace,) = of_kind(documents, "Namespace")
    for document in documents:
        if document["kind"] != "Namespace":
            assert document["metadata"]["namespace"] == namespace, document["metadata"]["name"]


@every_overlay
def test_network_policies_select_all_pods_and_open_their_ports_alone(folder: Path) -> None:
    documents = render(folder)
    policies = of_kind(documents, "NetworkPolicy").values()
    for name, pod in pods(documents).items():
        (policy,) = [one for one in policies if selects(one["spec"]["podSelector"]["matchLabels"], pod)]
        assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"], name
        ports = {port["containerPort"] for port in main_container(pod)["ports"]}
        opened = {port["port"] for rule in policy["spec"]["ingress"] for port in rule["ports"]}
        assert opened <= ports
        for rule in policy["spec"]["ingress"]:
            assert rule["from"], "an empty list would let everybody in"
    page, service = (pods(documents)[f"digits-{name}"] for name in ("page", "service"))
    assert lets_in(documents, "digits-service", page)
    (asked,) = [
        rule
        for rule in of_kind(documents, "NetworkPolicy")["digits-page"]["spec"]["egress"]
        if any(
            "podSelector" in to and selects(to["podSelector"]["matchLabels"], service) for to in rule["to"]
        )
    ]
    assert [port["port"] for port in asked["ports"]] == [3000]


def lets_in(documents: list[Document], policy: str, pod: Document) -> bool:
    rules = of_kind(documents, "NetworkPolicy")[policy]["spec"]["ingress"]
    return any(
        "podSelector" in source and selects(source["podSelector"]["matchLabels"], pod)
        for rule in rules
        for source in rule["from"]
    )


def test_service_asks_nobody_but_a_registry() -> None:
    policy = of_kind(render(BASE), "NetworkPolicy")["digits-service"]
    assert policy["spec"]["egress"] == []
    documents = render(REGISTRY)
    egress = of_kind(documents, "NetworkPolicy")["digits-service"]["spec"]["egress"]
    address = environment(every_container()["follower"][1], render(PRODUCTION))["MLFLOW_TRACKING_URI"]
    found = re.fullmatch(r"http://mlflow\.(\w+)\.svc\.cluster\.local:(\d+)", address)
    assert found
    namespace, port = found.groups()
    mlflow_rule, names = egress
    assert (
        mlflow_rule["to"][0]["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"] == namespace
    )
    assert [one["port"] for one in mlflow_rule["ports"]] == [int(port)]
    assert {one["port"] for one in names["ports"]} == {53}


@pytest.mark.parametrize("name", ENTRIES)
def test_rights_and_limits_are_those_of_compose(name: str) -> None:
    pod, container = every_container()[name]
    service = compose()[name]
    user, group = map(int, service["user"].split(":"))
    assert (pod["spec"]["securityContext"]["runAsUser"], pod["spec"]["securityContext"]["runAsGroup"]) == (
        user,
        group,
    )
    assert container["securityContext"] == {
        "readOnlyRootFilesystem": service["read_only"],
        "capabilities": {"drop": service["cap_drop"]},
        "allowPrivilegeEscalation": "no-new-privileges:true" not in service["security_opt"],
    }
    limits = container["resources"]["limits"]
    assert number(limits["memory"]) == number(service["mem_limit"])
    assert limits["cpu"] == str(service["cpus"])
    assert number(container["resources"]["requests"]["memory"]) <= number(limits["memory"])
    found = re.fullmatch(r"(/tmp):size=(\w+)", service["tmpfs"][0])
    assert found
    target, size = found.groups()
    (mount,) = [mount for mount in container["volumeMounts"] if mount["mountPath"] == target]
    (volume,) = [volume for volume in pod["spec"]["volumes"] if volume["name"] == mount["name"]]
    assert volume["emptyDir"]["medium"] == "Memory"
    assert number(volume["emptyDir"]["sizeLimit"]) == number(size)


def test_every_pod_may_run_in_a_restricted_namespace() -> None:
    for spec in every_pod_spec():
        assert spec["automountServiceAccountToken"] is False
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["runAsUser"] > 0
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for one in (*spec.get("initContainers", ()), *spec["containers"]):
            assert one["securityContext"]["allowPrivilegeEscalation"] is False
            assert one["securityContext"]["capabilities"] == {"drop": ["ALL"]}
            assert one["securityContext"]["readOnlyRootFilesystem"] is True
            assert one["resources"]["limits"]["memory"]


@pytest.mark.parametrize("name", SERVERS)
def test_pods_have_time_to_finish(name: str) -> None:
    pod, container = every_container()[name]
    _, waited = container["lifecycle"]["preStop"]["exec"]["command"]
    left = pod["spec"]["terminationGracePeriodSeconds"] - int(waited)
    assert left >= (
        STOP_SECONDS + 1.4 if name == "service" else seconds(compose()[name]["stop_grace_period"])
    )


@pytest.mark.parametrize("name", SERVERS)
def test_readiness_is_looked_at_as_in_compose(name: str) -> None:
    _, container = every_container()[name]
    health, probe = compose()[name]["healthcheck"], container["readinessProbe"]
    *_, port, path = health["test"]
    (named,) = container["ports"]
    assert (str(named["containerPort"]), probe["httpGet"]["path"]) == (port, path)
    assert (probe["periodSeconds"], probe["timeoutSeconds"], probe["failureThreshold"]) == (
        seconds(health["interval"]),
        seconds(health["timeout"]),
        health["retries"],
    )
    start = container["startupProbe"]
    assert start["failureThreshold"] * start["periodSeconds"] >= seconds(health["start_period"])


@every_overlay
def test_every_variable_is_read_by_the_code(folder: Path) -> None:
    documents = render(folder)
    for pod in pods(documents).values():
        for one in containers(pod):
            unread = set(environment(one, documents)) - read_by(one["name"])
            assert not unread, one["name"]


def test_kserves_container_has_variables_that_are_read() -> None:
    (inference,) = read(KSERVE / "service.yaml")
    (container,) = inference["spec"]["predictor"]["containers"]
    assert set(environment(container, [])) - {"PROTOCOL"} <= read_by("service")  # PROTOCOL is for KServe


@cache
def read_by(name: str) -> set[str]:
    """All words in the code of a container that could be a variable's name, and MLflow's variables."""
    words = {
        node.value
        for path in closure(Path(ENTRIES[name]))
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    return words | ({str(one) for one in dir(mlflow.environment_variables)} if name == "follower" else set())


def test_every_variable_of_compose_is_there_or_has_its_reason() -> None:
    """Kubernetes must set every variable that compose sets, or else the code would use its own default."""
    elsewhere = {
        "API_KEY": "the component api-key",
        "MLFLOW_URL": "no MLflow is deployed here",
        "MLFLOW_LINK_URL": "no MLflow is deployed here",
    }
    documents = render(BASE)
    for name in SERVERS:
        found = environment(main_container(pods(documents)[f"digits-{name}"]), documents)
        assert set(compose()[name]["environment"]) - set(elsewhere) == set(found)


def test_page_asks_the_service() -> None:
    documents = render(BASE)
    address = environment(main_container(pods(documents)["digits-page"]), documents)["SERVICE_URL"]
    found = re.fullmatch(r"http://([a-z-]+):(\d+)", address)
    assert found
    name, port = found.groups()
    ports = of_kind(documents, "Service")[name]["spec"]["ports"]
    assert [one["port"] for one in ports] == [int(port)]


def test_images_are_ours_with_the_projects_version() -> None:
    """All have the same tag, which is the version in pyproject.toml."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    ours = {service["image"].partition(":")[0] for service in compose().values()} | {"digits-follower"}
    specs = [*every_pod_spec(), *(one["spec"]["predictor"] for one in render(KSERVE))]
    images = {
        one["image"] for spec in specs for one in (*spec.get("initContainers", ()), *spec["containers"])
    } - {"digits-service"}  # in KServe's file, before kustomize adds the tag
    for image in images:
        name, _, tag = image.removeprefix("registry.example.org/").partition(":")
        assert (name in ours, tag) == (True, version), image


def test_follower_writes_where_the_service_looks() -> None:
    pod, follower = every_container()["follower"]
    service = main_container(pod)
    paths = {
        one["name"]: mount
        for one in (follower, service)
        for mount in one["volumeMounts"]
        if mount["name"] == "models"
    }
    assert follower["restartPolicy"] == "Always", "as a plain init container it would never end"
    assert paths["follower"]["mountPath"] == "/project/models"
    *_, looked_for = follower["startupProbe"]["exec"]["command"]
    assert looked_for == "/project/models/champion/manifest.json"
    assert paths["service"]["readOnly"] is True
    said = (ROOT / "service" / "Dockerfile").read_text(encoding="utf-8")
    assert f"MODEL_DIR={paths['service']['mountPath']}/champion" in said


def test_followers_image_holds_all_that_it_imports() -> None:
    said = (ROOT / "containers" / "follower" / "Dockerfile").read_text(encoding="utf-8")
    copied = set(re.findall(r"^COPY (\w+)/ \1/$", said, re.MULTILINE))
    assert {path.parts[0] for path in closure(Path(ENTRIES["follower"]))} == copied
    assert "WORKDIR /project\n" in said
    allowed = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert {f"!{folder}/" for folder in copied} <= set(allowed)


def test_volume_takes_the_place_of_the_empty_folder() -> None:
    (pod,) = [
        pod
        for name, pod in pods(render(KUBERNETES / "overlays" / "champion-from-volume")).items()
        if name == "digits-service"
    ]
    (models,) = [volume for volume in pod["spec"]["volumes"] if volume["name"] == "models"]
    assert models == {
        "name": "models",
        "persistentVolumeClaim": {"claimName": "digits-models", "readOnly": True},
    }
    (filler,) = read(KUBERNETES / "filler.yaml")
    (claim,) = filler["spec"]["volumes"]
    assert claim["persistentVolumeClaim"]["claimName"] == "digits-models"


def test_key_is_asked_for_by_the_service_and_sent_by_page_and_monitor() -> None:
    documents = render(PRODUCTION)
    secret: dict[str, Any] = {"name": "digits-api-key", "key": "api-key"}
    for pod in pods(documents).values():
        (variable,) = [one for one in main_container(pod)["env"] if one["name"] == "API_KEY"]
        assert variable["valueFrom"]["secretKeyRef"] == secret
    (monitor,) = of_kind(documents, "ServiceMonitor").values()
    for endpoint in monitor["spec"]["endpoints"]:
        assert endpoint["authorization"] == {"type": "Bearer", "credentials": secret}
