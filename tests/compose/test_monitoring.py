"""`docker compose --profile monitoring`: Prometheus finds three replicas, and a webhook receives the alerts.

Only the times differ from the delivered settings: copies of the rules and of both programs' settings scrape
every two seconds and wait for one, so that a test takes a minute. tests/compose/test_alerts.py tests the real
times.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.compose.conftest import missing
from tests.compose.load import drawing
from tests.compose.stack import ROOT, Stack, copy_of_project, docker, wait_until
from tests.compose.webhook import Webhook, webhook

SERVERS = ("service", "proxy", "prometheus", "alertmanager")
KEY = "a key: '1'"
QUICK = "quick.yml"


@dataclass
class Watched:
    """Three replicas, Prometheus, Alertmanager, and the webhook to which it sends alerts."""

    stack: Stack
    told: Webhook

    def asked(self, path: str, **query: str) -> Any:
        """The data in Prometheus's answer to a query."""
        answer = httpx.get(
            f"{self.stack.prometheus}/api/v1/{path}", params=query, timeout=10, trust_env=False
        )
        assert answer.is_success, answer.text
        return answer.json()["data"]

    def series(self, expression: str) -> list[dict[str, Any]]:
        return list(self.asked("query", query=expression)["result"])

    def rules(self) -> list[dict[str, Any]]:
        """The rules that Prometheus evaluates, in order."""
        (group,) = self.asked("rules")["groups"]
        return list(group["rules"])

    def firing(self) -> set[str]:
        """Alerts that fire in Prometheus."""
        alerts = self.asked("alerts")["alerts"]
        return {one["labels"]["alertname"] for one in alerts if one["state"] == "firing"}

    def managed(self) -> set[str]:
        """Alerts that Alertmanager has."""
        answer = httpx.get(f"{self.stack.alertmanager}/api/v2/alerts", timeout=10, trust_env=False)
        return {one["labels"]["alertname"] for one in answer.raise_for_status().json()}

    def up(self) -> int:
        """The number of replicas that are targets and answer Prometheus."""
        return len(self.series('up{job="digits"} == 1'))

    def wait_for(self, alert: str) -> None:
        """Wait until the alert fires in Prometheus, reaches Alertmanager, and then the webhook."""
        wait_until(lambda: alert in self.firing(), 40)
        wait_until(lambda: alert in self.managed(), 20)
        wait_until(lambda: self.told.was_told(alert, "firing"), 20)

    def wait_for_end_of(self, alert: str) -> None:
        wait_until(lambda: alert not in self.firing(), 40)
        wait_until(lambda: self.told.was_told(alert, "resolved"), 20)


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory, monitoring: str) -> Iterator[Watched]:  # noqa: ARG001 (built)
    if said := missing():
        pytest.skip(said)
    folder = tmp_path_factory.mktemp("compose") / "watched"
    copy_of_project(folder)
    write_quick_settings(folder)
    stack = Stack(folder, "watched")
    run = ("-f", "docker-compose.yml", "-f", QUICK, "--profile", "monitoring")
    with webhook() as told:
        (folder / ".env").write_text(f'API_KEY="{KEY}"\nALERT_WEBHOOK_URL={told.address}\n', encoding="utf-8")
        try:
            stack.compose(*run, "build", "folders", "service", "prometheus", seconds=1500)
            stack.compose(*run, "up", "-d", "--scale", "service=3", *SERVERS)
            watched = Watched(stack, told)
            wait_until(lambda: stack.healthy(SERVERS), 120)
            wait_until(lambda: watched.up() == 3, 30)
            yield watched
        finally:
            stack.compose(*run, "down", "--volumes", "--remove-orphans")
    assert not any(stack.left().values()), stack.left()


def write_quick_settings(folder: Path) -> None:
    """Write a second compose file, which mounts settings with shorter times over those in the image."""
    monitoring = ROOT / "containers" / "monitoring"
    shorter = {
        ROOT / "docs" / "alerts.yml": ((r"for: \S+", "for: 1s"), (r":\w+\]", ":1s]")),
        monitoring / "prometheus.yml": ((r"(interval|timeout): \d+s", r"\1: 2s"),),
        monitoring / "alertmanager.yml": ((r"group_(wait|interval): \w+", r"group_\1: 1s"),),
    }
    quick = folder / "quick"
    quick.mkdir()
    for file, changes in shorter.items():
        text = file.read_text(encoding="utf-8")
        for pattern, replacement in changes:
            text, count = re.subn(pattern, replacement, text)
            assert count, pattern
        (quick / file.name).write_text(text, encoding="utf-8")
    volume = {"type": "bind", "source": str(quick), "target": "/etc/digits", "read_only": True}
    services = {name: {"volumes": [volume]} for name in ("prometheus", "alertmanager")}
    (folder / QUICK).write_text(yaml.safe_dump({"services": services}), encoding="utf-8")


def test_every_replica_is_a_target_and_all_rules_are_evaluated(watched: Watched) -> None:
    addresses = {
        one["NetworkSettings"]["Networks"][f"{watched.stack.name}_inside"]["IPAddress"] + ":3000"
        for one in watched.stack.containers("service")
    }
    targets = watched.asked("targets")["activeTargets"]
    assert {one["labels"]["instance"] for one in targets} == addresses
    assert {one["labels"]["job"] for one in targets} == {"digits"}
    delivered = yaml.safe_load((ROOT / "docs" / "alerts.yml").read_text(encoding="utf-8"))["groups"]
    wait_until(lambda: {rule["health"] for rule in watched.rules()} == {"ok"}, 20)
    assert [rule["name"] for rule in watched.rules()] == [rule["alert"] for rule in delivered[0]["rules"]]
    assert [one["url"] for one in watched.asked("alertmanagers")["activeAlertmanagers"]] == [
        "http://alertmanager:9093/api/v2/alerts"
    ]


def test_paused_and_killed_replicas_are_told_of_and_so_is_their_end(watched: Watched) -> None:
    wrong = {"DigitsDown", "DigitsReplicaSilent", "DigitsReplicaMissing", "DigitsNoModel"}
    wait_until(lambda: not wrong & watched.firing(), 40)
    replica = watched.stack.containers("service")[0]["Id"]
    docker("pause", replica)
    try:
        watched.wait_for("DigitsReplicaSilent")
        watched.wait_for("DigitsReplicaMissing")
        assert "DigitsDown" not in watched.firing()
    finally:
        docker("unpause", replica)
    watched.wait_for_end_of("DigitsReplicaSilent")
    watched.wait_for_end_of("DigitsReplicaMissing")
    watched.told.alerts.clear()
    docker("update", "--restart=no", replica)
    docker("kill", replica)
    watched.wait_for("DigitsReplicaMissing")
    # Its target has been removed, so only the number of replicas shows that it is missing.
    wait_until(lambda: watched.firing() & wrong == {"DigitsReplicaMissing"}, 20)
    docker("start", replica)
    watched.wait_for_end_of("DigitsReplicaMissing")
    assert watched.up() == 3


def test_every_expression_of_the_dashboard_gives_something_after_traffic(watched: Watched) -> None:
    with httpx.Client(base_url=watched.stack.service, headers={"X-API-Key": KEY}, trust_env=False) as client:
        for path, picture, status in (
            ("/predict", drawing(), 200),
            ("/read", drawing(), 200),
            ("/predict", b"no picture", 400),
        ) * 3:
            answer = client.post(path, files={"image": picture}, timeout=20)
            assert answer.status_code == status, answer.text
    dashboard = json.loads((ROOT / "docs" / "grafana.json").read_text(encoding="utf-8"))
    expressions = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    assert len(expressions) > 10
    for expression in expressions:
        asked = expression.replace("$__rate_interval", "1m")
        wait_until(partial(watched.series, asked), 20)
    assert {one["metric"]["outcome"] for one in watched.series("digits_requests_total > 0")} > {"ok"}


def test_monitoring_has_no_more_rights_than_it_needs(watched: Watched) -> None:
    for name, port in (("prometheus", "9090/tcp"), ("alertmanager", "9093/tcp")):
        (one,) = watched.stack.containers(name)
        host = one["HostConfig"]
        assert host["ReadonlyRootfs"]
        assert host["CapDrop"] == ["ALL"]
        assert not host["CapAdd"]
        assert "no-new-privileges:true" in host["SecurityOpt"]
        assert all(host[limit] for limit in ("Memory", "PidsLimit", "NanoCpus"))
        assert one["Config"]["User"] == "1000:1000"
        assert {binding["HostIp"] for binding in host["PortBindings"][port]} == {"127.0.0.1"}
        assert [mount["Destination"] for mount in one["Mounts"] if mount["RW"]] == ["/data"]


def test_prometheus_keeps_a_bounded_time_and_size(watched: Watched) -> None:
    flags = watched.asked("status/flags")
    assert (flags["storage.tsdb.retention.time"], flags["storage.tsdb.retention.size"]) == ("15d", "512MiB")


def test_web_pages_of_other_origins_cannot_read_prometheus(watched: Watched) -> None:
    url = f"{watched.stack.prometheus}/api/v1/query?query=up"
    answer = httpx.get(url, headers={"Origin": "https://example.org"}, timeout=10, trust_env=False)
    assert "Access-Control-Allow-Origin" not in answer.headers
