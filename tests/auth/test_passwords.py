"""What a new password must be like."""

import time

import pytest

from portal_app.auth import passwords

GOOD = "correct horse battery staple"


@pytest.mark.parametrize(
    "password",
    [GOOD, "x8#kQ2!pLw9z", "ünïcödé wörds für üs", "  leading and trailing  ", "密码密码很长很长很长的密码", GOOD * 4],
)
def test_any_characters_from_12_to_128_are_taken(password: str) -> None:
    assert passwords.fault_of(password) == ""
    assert passwords.verify(passwords.hash_password(password), password)


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("", "at least 12"),
        ("x8#kQ2!pLw9", "at least 12"),
        ("x8#kQ2!pLw9z" * 11, "at most 128"),
        ("passwordpassword", "easy to guess"),
        ("Password1234", "easy to guess"),
        ("123456789012", "easy to guess"),
        ("iloveyou1234", "easy to guess"),
        ("x" * 128, "easy to guess"),
        ("x8#kQ2!p\x00Lw9z", "control characters"),
        ("x8#kQ2!p\ud800Lw9z", "control characters"),
    ],
)
def test_a_fault_is_named(password: str, words: str) -> None:
    assert words in passwords.fault_of(password)


@pytest.mark.parametrize("password", ["alice@people.example", "Alice@People.Example1", "Quillfeather"])
def test_a_password_made_of_what_others_know_is_refused(password: str) -> None:
    assert passwords.fault_of(password) == ""
    assert "easy to guess" in passwords.fault_of(password, "alice@people.example", "Alice Quillfeather")


def test_nothing_is_cut(password: str = GOOD * 4 + "!") -> None:
    assert not passwords.verify(passwords.hash_password(password), password[:-1])


def test_a_long_password_is_judged_quickly() -> None:
    start = time.perf_counter()
    passwords.fault_of("abc123" * 21)
    assert time.perf_counter() - start < 0.5


def test_a_long_password_is_strong_when_either_end_is() -> None:
    assert passwords.fault_of("x" * 60 + "k8#Qz2!pLw9mN4") == ""
