"""The rules of docs/alerts.yml for made-up series: `promtool` checks that exactly the right alerts fire."""

from __future__ import annotations

import json
import shlex
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

RULES = yaml.safe_load((Path(__file__).resolve().parents[2] / "docs" / "alerts.yml").read_text())
ALERTS = {rule["alert"] for group in RULES["groups"] for rule in group["rules"]}

UP = 'up{job="digits",instance="%s"}'
WORKERS = 'digits_workers{job="digits",instance="%s",model="%s"}'
REQUESTS = 'digits_requests_total{job="digits",instance="a",path="%s",outcome="%s"}'
LOADS = 'digits_model_loads_total{job="digits",instance="a",outcome="%s"}'
SECONDS = 'digits_request_seconds_bucket{job="digits",instance="%s",path="/predict",le="%s"}'
CONFIDENCE = 'digits_confidence_%s{job="digits",instance="%s"%s}'
DRIFT = 'digits_drift{job="digits",instance="%s",against="%s",kind="predict",feature="ink"}'

WELL = {UP % name: "1x200" for name in "abc"} | {WORKERS % (name, "1"): "1x200" for name in "abc"}
"""Three replicas with the same model for 100 minutes, a value every 30 s; cases replace or add series."""


@dataclass(frozen=True)
class Case:
    name: str
    series: dict[str, str]
    fires: dict[str, set[str]]
    """For each time since the start, all alerts that fire then."""
    without: list[str] = field(default_factory=list)

    def test(self) -> dict[str, Any]:
        """The case in promtool's format."""
        series = {name: values for name, values in (WELL | self.series).items() if name not in self.without}
        return {
            "name": self.name,
            "interval": "30s",
            "input_series": [{"series": name, "values": values} for name, values in series.items()],
            "promql_expr_test": [
                {
                    "expr": 'count by (alertname) (ALERTS{alertstate="firing"}) > bool 0',
                    "eval_time": time,
                    "exp_samples": [
                        {"labels": f'{{alertname="{alert}"}}', "value": 1} for alert in sorted(alerts)
                    ],
                }
                for time, alerts in self.fires.items()
            ],
        }


def slow(*counts: tuple[str, int]) -> dict[str, str]:
    """Requests to two replicas; `counts` are the increases of the buckets per 30 s."""
    return {SECONDS % (name, le): f"0+{more}x200" for name in "ab" for le, more in counts}


def unsure(share: int) -> dict[str, str]:
    """Answers of two replicas, of which `share` percent have a confidence below 0.9."""
    return {
        CONFIDENCE % (*of, extra): f"0+{more}x200"
        for name in "ab"
        for of, extra, more in ((("bucket", name), ',le="0.9"', share), (("count", name), "", 100))
    }


def either(missing: str) -> list[str]:
    return [UP % missing, WORKERS % (missing, "1")]


CASES = [
    Case("all is well", {}, {"0m": set(), "5m": set(), "70m": set()}),
    Case(
        "a single server ends, and its target stays",
        {UP % "a": "1x20 0x180", WORKERS % ("a", "1"): "1x20 stale"},
        {"10m": set(), "11m": set(), "13m": {"DigitsDown"}, "70m": {"DigitsDown"}},
        either("b") + either("c"),
    ),
    Case(
        "all replicas vanish from the name server",
        {UP % name: "1x20 stale" for name in "abc"} | {WORKERS % (name, "1"): "1x20 stale" for name in "abc"},
        {"10m": set(), "13m": {"DigitsDown"}},
    ),
    Case(
        "a replica is paused, and answers again",
        {UP % "c": "1x60 0x10 1x130", WORKERS % ("c", "1"): "1x60 stale _x9 1x130"},
        {
            "30m": set(),
            "32m": {"DigitsReplicaSilent"},
            "34m": {"DigitsReplicaSilent", "DigitsReplicaMissing"},
            "37m": set(),
        },
    ),
    Case(
        "a replica is gone, its target too, and comes back under another address",
        {
            UP % "c": "1x60 stale",
            WORKERS % ("c", "1"): "1x60 stale",
            UP % "d": "_x80 1x200",
            WORKERS % ("d", "1"): "_x80 1x200",
        },
        {"31m": set(), "34m": {"DigitsReplicaMissing"}, "39m": {"DigitsReplicaMissing"}, "42m": set()},
    ),
    Case(
        "a replica is taken away for good: after an hour, two are usual",
        {UP % "c": "1x60 stale", WORKERS % ("c", "1"): "1x60 stale"},
        {"80m": {"DigitsReplicaMissing"}, "98m": set()},
    ),
    Case(
        "a replica ends again and again",
        {UP % "c": "1x60 0x1 stale" + " _x1 0x1 stale" * 60, WORKERS % ("c", "1"): "1x60 stale"},
        {"40m": {"DigitsReplicaMissing"}},
    ),
    Case(
        "an update starts one replica more for three minutes",
        {UP % "d": "_x60 1x6 stale", WORKERS % ("d", "1"): "_x60 1x6 stale"},
        {"31m": set(), "33m": set(), "36m": set(), "50m": set()},
    ),
    Case(
        "a replica loses its model",
        {WORKERS % ("a", "1"): "1x20 0x180"},
        {"10m": set(), "12m": {"DigitsNoModel"}},
    ),
    Case("a replica never had a model", {}, {"3m": {"DigitsNoModel"}}, [WORKERS % ("b", "1")]),
    Case(
        "the default model answers in one replica",
        {WORKERS % ("c", "default"): "1x200", WORKERS % ("c", "1"): "0x200"},
        {"59m": {"DigitsTwoModels"}, "62m": {"DigitsTwoModels", "DigitsDefaultModel"}},
    ),
    Case(
        "a promotion: two models for 30 s",
        {WORKERS % ("a", "1"): "1x20 0x180", WORKERS % ("a", "2"): "0x20 1x180"}
        | {WORKERS % (name, "1"): "1x21 0x180" for name in "bc"}
        | {WORKERS % (name, "2"): "0x21 1x180" for name in "bc"},
        {"10m": set(), "11m": set(), "12m": set(), "20m": set()},
    ),
    Case(
        "the first fault",
        {REQUESTS % ("/read", "internal"): "0x20 1x180"},
        {"10m": set(), "12m30s": {"DigitsFaults"}, "20m": set()},
    ),
    Case(
        "one request in fifty is refused as busy",
        {REQUESTS % ("/predict", "ok"): "0+98x200", REQUESTS % ("/predict", "busy"): "0+2x200"},
        {"4m": set(), "7m": {"DigitsBusy"}},
    ),
    Case(
        "at most one request in a hundred is refused as busy",
        {REQUESTS % ("/predict", "ok"): "0+995x200", REQUESTS % ("/predict", "busy"): "0+5x200"},
        {"7m": set(), "1h": set()},
    ),
    Case(
        "two in a hundred predictions are slow",
        slow(("0.1", 98), ("0.25", 98), ("0.5", 100), ("+Inf", 100)),
        {"4m": set(), "7m": {"DigitsSlow"}},
    ),
    Case("all are fast", slow(("0.1", 99), ("0.25", 100), ("0.5", 100), ("+Inf", 100)), {"1h": set()}),
    Case(
        "a first model is refused",
        {LOADS % "refused": "0x20 1x180", LOADS % "taken": "1x200"},
        {"10m": set(), "12m": {"DigitsModelRefused"}, "30m": set()},
    ),
    Case("models are taken", {LOADS % "refused": "0x200", LOADS % "taken": "0+1x200"}, {"1h": set()}),
    Case(
        "a first feedback finds no room",
        {REQUESTS % ("/feedback", "feedback_full"): "0x20 1x180", REQUESTS % ("/feedback", "ok"): "0+1x200"},
        {"10m": set(), "12m": {"DigitsFeedbackFull"}, "80m": set()},
    ),
    Case("a quarter of the answers is unsure", unsure(25), {"55m": set(), "65m": {"DigitsUnsure"}}),
    Case("a tenth of the answers is unsure", unsure(10), {"70m": set()}),
    Case(
        "drift, which every replica reports from the counts of all",
        {DRIFT % (name, "reference"): "1x200" for name in "abc"}
        | {DRIFT % (name, "before"): "0x200" for name in "abc"},
        {"59m": set(), "62m": {"DigitsDrift"}},
    ),
    Case(
        "only one replica's counts show that pictures have changed; the others have too few",
        {DRIFT % ("a", "before"): "1x200"} | {DRIFT % (name, "before"): "NaN " * 200 for name in "bc"},
        {"59m": set(), "62m": {"DigitsTrafficChanged"}},
    ),
    Case(
        "nothing is known of drift",
        {DRIFT % (name, of): "NaN " * 200 for name in "abc" for of in ("reference", "before")},
        {"70m": set()},
    ),
]


def test_every_alert_fires_in_a_case_and_is_quiet_in_others() -> None:
    assert set().union(*(fires for case in CASES for fires in case.fires.values())) == ALERTS


def test_alerts_fire_where_they_should_and_nowhere_else(monitoring: str) -> None:
    tests = {
        "rule_files": ["/etc/digits/alerts.yml"],
        "evaluation_interval": "30s",
        "tests": [case.test() for case in CASES],
    }
    done = promtool(monitoring, "test", "rules", "/dev/stdin", said=json.dumps(tests))
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_prometheus_is_told_is_valid(monitoring: str) -> None:
    done = promtool(monitoring, "check", "config", "--syntax-only", "/etc/digits/prometheus.yml")
    assert done.returncode == 0, done.stdout + done.stderr
    done = promtool(monitoring, "check", "rules", "/etc/digits/alerts.yml")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(ALERTS)} rules found" in done.stdout


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"ALERT_WEBHOOK_URL": "http://example.org/it's?here=1"},
        {
            "ALERT_EMAIL_TO": "a@example.org",
            "SMTP_SERVER": "mail.example.org:587",
            "SMTP_PASSWORD": "it's: #1",
        },
        {
            "ALERT_WEBHOOK_URL": "https://example.org/",
            "ALERT_EMAIL_TO": "a@example.org",
            "SMTP_SERVER": "m:25",
        },
    ],
)
def test_alertmanager_is_told_what_the_environment_says(monitoring: str, settings: dict[str, str]) -> None:
    """Alertmanager is replaced by a script that prints its configuration file and checks it."""
    program = "/tmp/prometheus-alertmanager"
    shows = "#!/bin/sh\ncat /tmp/alertmanager.yml\nexec amtool check-config /tmp/alertmanager.yml >&2\n"
    start = (
        f"printf %s {shlex.quote(shows)} >{program} && chmod +x {program}"
        " && PATH=/tmp:$PATH start-monitoring alertmanager"
    )
    given = [part for name, value in settings.items() for part in ("--env", f"{name}={value}")]
    done = subprocess.run(
        ["docker", "run", "--rm", "--network", "none", *given, monitoring, "sh", "-c", start],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    (receiver,) = yaml.safe_load(done.stdout)["receivers"]
    webhook, mail = receiver.get("webhook_configs", [{}])[0], receiver.get("email_configs", [{}])[0]
    assert webhook.get("url") == settings.get("ALERT_WEBHOOK_URL")
    assert mail.get("to") == settings.get("ALERT_EMAIL_TO")
    assert mail.get("smarthost") == settings.get("SMTP_SERVER")
    assert (mail.get("auth_password") or None) == settings.get("SMTP_PASSWORD")


def promtool(image: str, *arguments: str, said: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["docker", "run", "--rm", "-i", "--network", "none", image, "promtool", *arguments],
        input=said,
        capture_output=True,
        text=True,
        timeout=120,
    )
