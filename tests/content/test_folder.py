"""What the folder gives, and what a broken file in it costs: only itself."""

import logging
from datetime import UTC, datetime
from pathlib import Path

import pytest

from portal_app import db, doctor
from portal_app.content import folder, library
from portal_app.errors import NotFound
from portal_app.settings import reset_settings
from tests.content.conftest import Write, page

pytestmark = pytest.mark.usefixtures("database")


def _slugs(kind: str, section: str = "") -> list[str]:
    return [one.slug for one in db.read(library.pages, kind, section)]


def test_each_place_gives_its_kind(write: Write) -> None:
    write("articles/solutions/card-refused.md", page("Card refused"))
    write("help/users.md", page("Users"))
    write("news/first.md", page("First"))
    write("sales/sheet/index.md", page("Sheet"))
    write("courses/start/course.md", page("Start"))
    write("courses/start/02-second.md", page("Second"))
    write("courses/start/01-first.md", page("First lesson"))
    assert _slugs("article") == ["card-refused", "users"]
    assert _slugs("article", "user-guides") == ["users"]
    assert _slugs("lesson", "start") == ["start--first", "start--second"]
    assert [_slugs(kind) for kind in ("news", "sales", "course")] == [["first"], ["sheet"], ["start"]]


def test_the_front_matter_says_what_a_page_is(write: Write) -> None:
    write(
        "articles/legal/privacy.md",
        "\ufeff---\r\ntitle: 'Privacy: yours'\r\nsummary: Short\r\nposition: 7\r\n"
        "published: 2026-11-20\r\n---\r\n\r\nText.",
    )
    found = db.read(library.page, "article", "privacy")
    assert (found.title, found.summary, found.position, found.body) == ("Privacy: yours", "Short", 7, "Text.")
    assert found.published_at == datetime(2026, 11, 20, tzinfo=UTC)
    assert found.from_folder


def test_without_front_matter_the_file_names_it(write: Write) -> None:
    write("articles/solutions/a-card-was-refused.md", "Text.")
    assert db.read(library.page, "article", "a-card-was-refused").title == "A card was refused"


def test_what_comes_later_is_not_there_yet(write: Write) -> None:
    write("news/later.md", "---\ntitle: Later\npublished: 2999-01-01\n---\nText.")
    assert _slugs("news") == []
    with pytest.raises(NotFound):
        db.read(library.page, "news", "later")


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("articles/solutions/open.md", "---\ntitle: x\nText", "does not end"),
        ("articles/solutions/yaml.md", "---\ntitle: [x\n---\nText", "no YAML"),
        ("articles/solutions/list.md", "---\n- x\n---\nText", "no names with values"),
        ("articles/solutions/word.md", "---\nauthor: x\n---\nText", "has no author"),
        ("articles/solutions/day.md", "---\npublished: soon\n---\nText", "no date"),
        ("articles/solutions/place.md", "---\nposition: first\n---\nText", "whole number"),
        ("articles/solutions/long.md", f"---\ntitle: {'x' * 200}\n---\nText", "at most 160"),
        ("articles/solutions/section.md", "---\nsection: nowhere\n---\nText", "no topic nowhere"),
        ("articles/solutions/bytes.md", b"\xff\xfe\x00", "not UTF-8"),
        ("articles/solutions/huge.md", "x" * (folder.LONGEST + 1), "longer than"),
        ("articles/solutions/Upper_Case.md", "Text", "small letters"),
        ("articles/elsewhere/page.md", "Text", "no page can lie there"),
        ("articles/page.md", "Text", "no page can lie there"),
        ("courses/start/lesson.md", "Text", "begins with its number"),
    ],
)
def test_a_broken_file_is_told_of_and_costs_only_itself(
    write: Write, caplog: pytest.LogCaptureFixture, name: str, text: str | bytes, fault: str
) -> None:
    write("articles/solutions/good.md", page("Good"))
    write(name, text)
    with caplog.at_level(logging.ERROR, logger="portal.content"):
        assert _slugs("article") == ["good"]
    assert f"content: {name}: " in caplog.text
    assert fault in caplog.text
    found = doctor._content()
    assert found.level == doctor.Level.WARN
    assert name in found.what
    (folder.ROOT / name).unlink()
    folder.look_again()
    assert doctor._content().level == doctor.Level.OK


def test_two_pages_of_one_name_are_told_of(write: Write) -> None:
    write("articles/legal/same.md", page("One"))
    write("articles/solutions/same.md", page("Two"))
    assert db.read(library.page, "article", "same").title == "One"
    assert folder.found().faults == ("articles/solutions/same.md: another page has this name already",)


def test_a_file_that_can_not_be_read_is_told_of(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = write("news/gone.md", page())

    def read_text(self: Path, **_: object) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_text", read_text)
    assert _slugs("news") == []
    assert folder.found().faults == (f"news/{gone.name}: it can't be read (Permission denied)",)


def test_it_is_read_again_only_when_something_changed(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write("news/one.md", page("Before"))
    first = folder.found()
    folder.look_again()
    assert folder.found() is first
    path.write_text(page("Behind it"))
    assert folder.found() is first, "not looked at with every question"
    folder.look_again()
    assert db.read(library.page, "news", "one").title == "Behind it"
    path.unlink()
    folder.look_again()
    assert _slugs("news") == []


def test_the_providers_own_folder_lies_over_ours_file_by_file(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own"
    write("news/one.md", page("Ours"))
    write("news/two.md", page("Ours, too"))
    write("news/one.md", page("Theirs"), at=own)
    write("news/three.md", page("Only theirs"), at=own)
    monkeypatch.setenv("PORTAL_CONTENT_DIR", str(own))
    reset_settings()
    folder.look_again()
    titles = {one.slug: one.title for one in db.read(library.pages, "news")}
    assert titles == {"one": "Theirs", "two": "Ours, too", "three": "Only theirs"}


def test_no_file_outside_the_folder_is_reached(write: Write, root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.md").write_text(page("Secret"))
    (outside / "secret.png").write_bytes(b"x")
    write("news/one.md", page())
    (root / "news" / "linked.md").symlink_to(outside / "secret.md")
    (root / "news" / "linked.png").symlink_to(outside / "secret.png")
    (root / "sales").symlink_to(outside)
    (root / "news" / "round").symlink_to(root)
    write("news/.hidden.png", b"x")
    folder.look_again()
    assert _slugs("news") == ["one"]
    assert folder.found().files["news", "one"] == {}
    for name in ("linked.png", "../secret.png", ".hidden.png", "one.md", "/etc/passwd", "..", ""):
        with pytest.raises(NotFound):
            db.read(library.file, "news", "one", name)


def test_a_missing_folder_is_an_empty_one(root: Path) -> None:
    root.rmdir()
    folder.look_again()
    assert _slugs("news") == []
