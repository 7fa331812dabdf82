"""A real service and a real page, started with the environment that the manifests give them."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from tests.deploy.adapter import asked, offered, scraped, selected
from tests.deploy.rendered import (
    BASE,
    KSERVE,
    KUBERNETES,
    ROOT,
    Document,
    environment,
    main_container,
    of_kind,
    pods,
    read,
    render,
)
from tests.ports import free_port
from tests.processes import running
from tests.service.conftest import Server, draw, serving
from tests.service.encoding import encoded

PRODUCTION = KUBERNETES / "overlays" / "production"


def container(name: str) -> Document:
    return main_container(pods(render(BASE))[f"digits-{name}"])


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A service without a champion, as in the base."""
    folder = tmp_path_factory.mktemp("service")
    variables = environment(container("service"), render(BASE)) | {"TRAFFIC_DIR": str(folder / "traffic")}
    champion, bento = folder / "models" / "champion", "service.service:DigitsService"
    with serving(champion, folder / "home", "/readyz", bento, ROOT, **variables) as server:
        yield server


def probed(container: Document) -> set[str]:
    return {container[f"{probe}Probe"]["httpGet"]["path"] for probe in ("startup", "readiness", "liveness")}


def test_probes_of_the_service_are_answered(service: Server) -> None:
    for path in probed(container("service")):
        assert service.get(path).status_code == 200, path
    assert service.get("/model").json()["version"] == "default"


def test_probes_of_kserves_service_are_answered(service: Server) -> None:
    (inference,) = read(KSERVE / "service.yaml")
    (own,) = inference["spec"]["predictor"]["containers"]
    for path in probed(own):
        assert service.get(path).status_code == 200, path


@pytest.mark.parametrize(
    "host", ["10.0.0.7:3000", "digits-service:3000", "digits-service.digits.svc.cluster.local"]
)
def test_pods_are_asked_by_names_that_they_go_by(service: Server, host: str) -> None:
    """The kubelet and Prometheus use IP addresses; the page and other clients use names of the Service."""
    answer = httpx.get(f"{service.url}/readyz", headers={"Host": host}, trust_env=False)
    assert answer.status_code == 200
    other = httpx.get(f"{service.url}/readyz", headers={"Host": "digits-service.digits"}, trust_env=False)
    assert other.status_code == 421, "docs/kubernetes.md says that this name is not let in"


def test_probes_of_the_page_are_answered(service: Server, tmp_path: Path) -> None:
    port = free_port()
    own = environment(container("page"), render(BASE)) | {"SERVICE_URL": service.url}
    variables = own | {"HOST": "127.0.0.1", "PAGE_PORT": str(port), "PYTHONPATH": str(ROOT)}
    with running([sys.executable, "-m", "ui.page"], tmp_path / "log", variables) as process:
        end = time.monotonic() + 60
        for path in probed(container("page")):
            status = 0
            while status != 200:
                assert process.poll() is None, (tmp_path / "log").read_text()
                assert time.monotonic() < end, f"{path}: {status}"
                with suppress(httpx.TransportError):
                    status = httpx.get(f"http://127.0.0.1:{port}{path}", trust_env=False).status_code
                time.sleep(0.1)


def test_autoscaler_asks_for_a_metric_that_the_adapter_finds(service: Server) -> None:
    """The rule derives this name from a series that even an idle pod has."""
    assert service.post("/predict", encoded(draw("7"))).status_code == 200
    (values,) = read(KUBERNETES / "prometheus-adapter.yaml")
    (rule,) = values["rules"]["custom"]
    series = scraped(service.get("/metrics").text)
    (scaler,) = of_kind(render(PRODUCTION), "HorizontalPodAutoscaler").values()
    wanted = {one["pods"]["metric"]["name"] for one in scaler["spec"]["metrics"] if one["type"] == "Pods"}
    assert wanted == offered(rule, series)
    found = selected(rule["seriesQuery"], series)
    assert {one.labels["queue"] for one in found} == {"quick", "side", "photos"}
    (selector,) = asked(rule, found[0])
    assert {one.labels["queue"] for one in selected(selector, series)} == {"quick", "side", "photos"}


def test_monitor_reads_the_metrics(service: Server) -> None:
    (monitor,) = of_kind(render(PRODUCTION), "ServiceMonitor").values()
    for endpoint in monitor["spec"]["endpoints"]:
        assert "digits_requests_total" in service.get(endpoint["path"]).text
