"""Secrets at rest: what was sealed opens in its own place, and nowhere else."""

import base64
import stat
from pathlib import Path

import pytest

from portal_app import crypto
from portal_app.settings import reset_settings

HERE = crypto.binding(1, "storage", 7, "credentials")


def use_key(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("PORTAL_ENCRYPTION_KEY", value)
    reset_settings()


def a_key(sign: bytes) -> str:
    return base64.b64encode(sign * 32).decode()


@pytest.mark.parametrize("plaintext", [b"", b"secret", bytes(range(256)) * 50])
def test_opens_in_its_own_place(plaintext: bytes) -> None:
    assert crypto.unseal(crypto.seal(plaintext, binding=HERE), binding=HERE) == plaintext


def test_shows_nothing_and_never_repeats() -> None:
    one, two = crypto.seal(b"the secret itself", binding=HERE), crypto.seal(b"the secret itself", binding=HERE)
    assert one != two
    assert b"secret" not in one


@pytest.mark.parametrize(
    "place",
    [
        (2, "storage", 7, "credentials"),
        (1, "card", 7, "credentials"),
        (1, "storage", 8, "credentials"),
        (1, "storage", 7, "x"),
    ],
    ids=["tenant", "table", "row", "column"],
)
def test_moved_elsewhere_is_refused(place: tuple[int, str, int, str]) -> None:
    sealed = crypto.seal(b"secret", binding=HERE)
    with pytest.raises(crypto.Unreadable, match="belongs to another record"):
        crypto.unseal(sealed, binding=crypto.binding(*place))


def test_places_never_share_a_name() -> None:
    assert crypto.binding("a", "b:c", 1, "d") != crypto.binding("a:b", "c", 1, "d")
    assert crypto.binding("a", 'b", "c', 1, "d") != crypto.binding("a", "b", "c", "1d")


def test_any_flipped_bit_is_refused() -> None:
    sealed = crypto.seal(b"secret", binding=HERE)
    for at in range(len(sealed)):
        changed = sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]
        with pytest.raises(crypto.Unreadable):
            crypto.unseal(changed, binding=HERE)


def test_a_cut_value_is_refused() -> None:
    sealed = crypto.seal(b"secret", binding=HERE)
    for length in range(len(sealed)):
        with pytest.raises(crypto.Unreadable):
            crypto.unseal(sealed[:length], binding=HERE)


def test_version_and_key_id_lead(monkeypatch: pytest.MonkeyPatch) -> None:
    use_key(monkeypatch, a_key(b"a"))
    one, two = crypto.seal(b"", binding=HERE), crypto.seal(b"", binding=HERE)
    assert one[:5] == two[:5]
    assert one[:1] == b"\x01"
    assert len(one) == 1 + 4 + 12 + 16
    use_key(monkeypatch, a_key(b"b"))
    assert crypto.seal(b"", binding=HERE)[:5] != one[:5]


def test_another_key_is_named_as_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    use_key(monkeypatch, a_key(b"a"))
    sealed = crypto.seal(b"secret", binding=HERE)
    use_key(monkeypatch, a_key(b"b"))
    with pytest.raises(crypto.Unreadable, match="another encryption key"):
        crypto.unseal(sealed, binding=HERE)


@pytest.mark.parametrize(
    "value",
    ["short", a_key(b"a")[:-4], base64.b64encode(b"a" * 16).decode(), base64.b64encode(b"a" * 33).decode(), "ü" * 44],
)
def test_a_wrong_key_stops_and_names_the_setting(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    use_key(monkeypatch, value)
    with pytest.raises(SystemExit, match=r"^PORTAL_ENCRYPTION_KEY: must be 32 bytes in base64") as fault:
        crypto.current_key()
    assert value not in str(fault.value)


def test_the_key_file_is_private_and_stays(data_dir: Path) -> None:
    key = crypto.current_key()
    file = data_dir / crypto.KEY_FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert base64.b64decode(file.read_text()) == key
    crypto._file_key.cache_clear()  # as another process would see it
    assert crypto.current_key() == key
    assert [path.name for path in data_dir.iterdir()] == [crypto.KEY_FILE]


def test_the_setting_goes_before_the_file(monkeypatch: pytest.MonkeyPatch, data_dir: Path) -> None:
    use_key(monkeypatch, a_key(b"a"))
    assert crypto.current_key() == b"a" * 32
    assert not (data_dir / crypto.KEY_FILE).exists()


def test_a_damaged_key_file_is_named_and_kept(data_dir: Path) -> None:
    file = data_dir / crypto.KEY_FILE
    file.write_text("not a key")
    with pytest.raises(SystemExit, match=r"encryption\.key.*must be 32 bytes in base64"):
        crypto.current_key()
    assert file.read_text() == "not a key"


def test_two_that_start_at_once_get_one_key(monkeypatch: pytest.MonkeyPatch, data_dir: Path) -> None:
    """While one has its draft ready, another process makes the file and works with its key already."""
    path, others = data_dir / crypto.KEY_FILE, []
    write = crypto._write_private

    def overtaken(draft: Path, content: bytes) -> None:
        write(draft, content)
        monkeypatch.setattr(crypto, "_write_private", write)
        others.append(crypto._file_key.__wrapped__(path))

    monkeypatch.setattr(crypto, "_write_private", overtaken)
    assert crypto._file_key.__wrapped__(path) == others[0] == base64.b64decode(path.read_text())
    assert [file.name for file in data_dir.iterdir()] == [crypto.KEY_FILE]
