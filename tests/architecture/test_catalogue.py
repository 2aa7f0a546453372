"""The catalogue of permissions is that of the specification (6.6)."""

import inspect

import pytest

from portal_app.auth import permissions
from portal_app.auth.permissions import ACCOUNT_OPERATIONS, PORTAL_OPERATIONS, Permission, effective

PORTAL = """View dashboard · Add new accounts · Subscribe accounts · Delete trial accounts · Export usage reports ·
View billing · Pay bills · Manage payment details · View security audit page · Manage users · Manage security settings ·
Manage account settings · Manage notifications · Manage API access · Open support tickets"""
ACCOUNT = """Access accounts · Manage backup tasks · Delete backup tasks · Run backups · Restore data · Export data ·
Manage customer users · Change account settings · Remove accounts"""


def _labels(text: str) -> set[str]:
    return {" ".join(label.split()) for label in text.split("·")}


def test_the_two_groups_have_exactly_the_labels_of_the_specification() -> None:
    assert {permission.label for permission in PORTAL_OPERATIONS} == _labels(PORTAL)
    assert {permission.label for permission in ACCOUNT_OPERATIONS} == _labels(ACCOUNT)
    assert frozenset(Permission) == PORTAL_OPERATIONS | ACCOUNT_OPERATIONS


def test_they_stand_in_alphabetical_order_of_their_keys() -> None:
    assert list(Permission) == sorted(Permission)
    assert all(permission == permission.value for permission in Permission)


@pytest.mark.parametrize("permission", Permission)
def test_each_has_a_stable_key_a_label_and_a_sentence(permission: Permission) -> None:
    subject, _, verb = permission.partition(":")
    assert subject.replace("-", "").isalpha()
    assert verb.isalpha()
    assert permission.islower()
    assert permission.refusal.startswith("You may not ")
    assert permission.refusal.endswith(".")
    assert permission.name in inspect.getsource(permissions)


def test_labels_and_sentences_are_each_others_own() -> None:
    assert len({permission.label for permission in Permission}) == len(Permission)
    assert len({permission.refusal for permission in Permission}) == len(Permission)


@pytest.mark.parametrize("permission", sorted(ACCOUNT_OPERATIONS))
def test_account_operations_count_only_beside_the_dashboard_or_adding(permission: Permission) -> None:
    assert effective("custom", [permission]) == frozenset()
    for opening in (Permission.DASHBOARD_VIEW, Permission.ACCOUNTS_ADD):
        assert effective("custom", [permission, opening]) == {permission, opening}


def test_an_administrator_has_all_and_an_unknown_key_gives_nothing() -> None:
    assert effective("administrator", []) == frozenset(Permission)
    assert effective("custom", ["everything", "", "DASHBOARD_VIEW", "administrator"]) == frozenset()
    assert effective("", ["dashboard:view"]) == {Permission.DASHBOARD_VIEW}
