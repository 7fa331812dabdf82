"""The service conforms to `/docs.json`, for the requests that schemathesis generates from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from service.app import endpoints
from service.openapi import document
from service.runtime.champion import Champion
from service.runtime.worker import Worker

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    unsupported_method,
]


schema = schemathesis.openapi.from_dict(document(endpoints(Worker(Champion(Path("none"))))))


@schema.parametrize()
@settings(
    max_examples=40,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_service_is_as_documented(case: Case[Any], server: Any) -> None:
    response = case.call(base_url=server.url, timeout=10)
    case.validate_response(response, checks=CHECKS)
