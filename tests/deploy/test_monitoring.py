"""The Prometheus Operator's rules are those of docs/alerts.yml, and the labels that they expect exist."""

from __future__ import annotations

from tests.deploy.rendered import KUBERNETES, ROOT, of_kind, read, render

PRODUCTION = KUBERNETES / "overlays" / "production"


def test_rules_are_those_of_the_documentation() -> None:
    (alerts,) = read(ROOT / "docs" / "alerts.yml")
    (rules,) = read(KUBERNETES / "components" / "prometheus-operator" / "rules.yaml")
    assert rules["spec"]["groups"] == alerts["groups"], "copy the groups of docs/alerts.yml into rules.yaml"


def test_series_have_the_job_that_the_rules_name() -> None:
    documents = render(PRODUCTION)
    (monitor,) = of_kind(documents, "ServiceMonitor").values()
    service = of_kind(documents, "Service")["digits-service"]
    job = service["metadata"]["labels"][monitor["spec"]["jobLabel"]]
    assert f'up{{job="{job}"}}' in (ROOT / "docs" / "alerts.yml").read_text(encoding="utf-8")
