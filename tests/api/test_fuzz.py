"""Whatever is sent to any endpoint: no answer is a fault of ours, and each is one that the document names."""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from portal_app import db
from portal_app.api import throttle
from portal_app.api.app import alone
from portal_app.auth.permissions import Permission
from portal_app.backups.service import record_run
from tests.api.conftest import bearer, new_token
from tests.backups.conftest import Cast, report

SCHEMA = schemathesis.openapi.from_asgi("/api/openapi.json", alone)
CHECKS = (not_a_server_error, status_code_conformance, response_schema_conformance)


@pytest.fixture
def token(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> str:
    """May do everything, as often as it likes, where there is something to do it with."""
    monkeypatch.setattr(throttle, "PER_MINUTE", 1_000_000)
    throttle.reset()
    db.write(record_run, cast.engine, report(cast))
    return new_token(cast.partner_id, *Permission)


@SCHEMA.parametrize()
@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_no_request_breaks_the_api(case: Any, token: str) -> None:
    case.call_and_validate(headers=bearer(token), checks=CHECKS, timeout=60)
