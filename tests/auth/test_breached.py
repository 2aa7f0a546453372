"""The list of stolen passwords, read by halving."""

import hashlib
from pathlib import Path

import pytest

from portal_app.auth import breached, passwords
from portal_app.settings import reset_settings

STOLEN = [f"stolen password {number}" for number in range(200)]


@pytest.mark.parametrize("known", [0, 1, 2, 200])
@pytest.mark.parametrize(("behind", "end"), [("", "\n"), (":{n}", "\n"), (":{n}", "\r\n")])
def test_each_password_of_the_list_is_found_and_no_other(known: int, behind: str, end: str, tmp_path: Path) -> None:
    path = tmp_path / "hashes.txt"
    hashes = sorted(hashlib.sha1(one.encode(), usedforsecurity=False).hexdigest().upper() for one in STOLEN[:known])
    lines = [one + behind.format(n=number * 7919) for number, one in enumerate(hashes)]
    path.write_bytes("".join(line + end for line in lines).encode())
    assert all(breached.holds(path, one) for one in STOLEN[:known])
    assert not any(breached.holds(path, f"{one}!") for one in STOLEN)


def test_a_stolen_password_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stolen = "correct horse battery staple"
    assert passwords.fault_of(stolen) == ""
    path = tmp_path / "hashes.txt"
    path.write_text(hashlib.sha1(stolen.encode(), usedforsecurity=False).hexdigest().upper() + ":12\n")
    monkeypatch.setenv("PORTAL_BREACHED_PASSWORDS", str(path))
    reset_settings()
    assert "stolen" in passwords.fault_of(stolen)
    assert passwords.fault_of("another horse battery staple") == ""
