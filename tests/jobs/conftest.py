"""The daily work without its pauses."""

import pytest

from portal_app.jobs import cycle


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cycle, "PAUSE_SECONDS", 0)
