"""The metrics that prometheus-adapter would offer, by its rule for the real metrics of a service."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

POD_LABELS = {"namespace": "digits", "pod": "digits-service-0", "job": "digits"}
"""Labels that the Prometheus Operator adds to each series of a pod."""


@dataclass(frozen=True)
class Series:
    """A series of Prometheus: its name and its labels."""

    name: str
    labels: dict[str, str]


def scraped(text: str) -> list[Series]:
    """The series that Prometheus has after scraping `/metrics` of a pod."""
    return [
        Series(sample.name, sample.labels | POD_LABELS)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    ]


def selected(query: str, series: Iterable[Series]) -> list[Series]:
    """The series that a selector such as `name{label="x",other!=""}` matches."""
    match = re.fullmatch(r"(\w+)\{(.*)\}", query)
    assert match, query
    name, rest = match.groups()
    matchers = re.findall(r'(\w+)(!?=)"([^"]*)"(?:,|$)', rest)
    assert ",".join(f'{label}{sign}"{value}"' for label, sign, value in matchers) == rest, rest
    return [
        one
        for one in series
        if one.name == name
        and all((one.labels.get(label, "") == value) == (sign == "=") for label, sign, value in matchers)
    ]


def offered(rule: dict[str, Any], series: Iterable[Series]) -> set[str]:
    """The names under which the adapter offers the series that the rule matches."""
    return {
        re.sub(rule["name"]["matches"], rule["name"]["as"], one.name)
        for one in selected(rule["seriesQuery"], series)
        if re.search(rule["name"]["matches"], one.name)
    }


def asked(rule: dict[str, Any], one: Series) -> list[str]:
    """The selectors in the query that the adapter sends for a series and its pod."""
    query = rule["metricsQuery"].replace("<<.Series>>", one.name).replace("<<.GroupBy>>", "pod")
    labels = ",".join(f'{name}="{one.labels[name]}"' for name in rule["resources"]["overrides"])
    return re.findall(r"\w+\{[^}]*\}", query.replace("<<.LabelMatchers>>", labels))
