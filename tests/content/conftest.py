"""A content folder of the test's own, laid under nothing: what the portal ships does not count here."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from portal_app.content import folder
from tests.cast import cast  # noqa: F401 (a fixture)

Write = Callable[..., Path]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder; empty."""
    place = tmp_path / "content"
    place.mkdir()
    monkeypatch.setattr(folder, "ROOT", place)
    folder.look_again()
    yield place
    folder.look_again()


@pytest.fixture
def write(root: Path) -> Write:
    """Writes a file into it, and has it looked at again."""

    def put(name: str, text: str | bytes, *, at: Path | None = None) -> Path:
        path = (at or root) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        folder.look_again()
        return path

    return put


PAGE = "---\ntitle: {title}\nsummary: {summary}\n---\n{body}\n"


def page(title: str = "Title", body: str = "Text.", summary: str = "In short.") -> str:
    """A file of the folder."""
    return PAGE.format(title=title, summary=summary, body=body)
