"""create-operator, create-partner, create-api-token: who they let in, and what they refuse."""

import threading

import pytest
from sqlmodel import select

from portal_app import db
from portal_app.auth import passwords, tokens
from portal_app.auth.actor import Origin, system
from portal_app.auth.permissions import Permission
from portal_app.errors import Conflict, Denied
from portal_app.models import AuditEvent, DataCenter, OutboxMail, Partner, User
from portal_app.operator.service import NewPartner, create_operator, create_partner, currencies
from tests import factories
from tests.cli.conftest import PASSWORD, Run

OPERATOR = ("create-operator", "--email", "Ann@Provider.test", "--name", "Ann", "--password-stdin")
PARTNER = {
    "--code": "acme01",
    "--name": "  Acme Ltd ",
    "--currency": "eur",
    "--time-zone": "Europe/Paris",
    "--admin-email": "Bo@Acme.test",
    "--admin-name": "Bo",
}


def _partner(**changed: str) -> list[str]:
    given = PARTNER | {"--" + name.replace("_", "-"): value for name, value in changed.items()}
    return ["create-partner", *(word for pair in given.items() for word in pair), "--password-stdin"]


def _all(model: type) -> list:
    with db.reading() as session:
        return list(session.exec(select(model)).all())


def test_an_operator_is_made_in_an_empty_folder(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*OPERATOR) == 0
    (user,) = _all(User)
    assert (user.kind, user.email, user.email_key, user.state) == (
        "operator",
        "Ann@Provider.test",
        "ann@provider.test",
        "active",
    )
    assert passwords.verify(user.password_hash, PASSWORD)
    (event,) = _all(AuditEvent)
    assert event.performed_by.startswith("Command line (")
    assert "Ann@Provider.test" in event.description
    assert PASSWORD not in event.description + capsys.readouterr().out


def test_a_partner_is_made_with_its_administrator(run: Run) -> None:
    assert run(*_partner()) == 0
    (partner,) = _all(Partner)
    (user,) = _all(User)
    events = _all(AuditEvent)
    assert (partner.code, partner.name, partner.currency, partner.is_demo) == ("ACME01", "Acme Ltd", "EUR", False)
    assert (user.kind, user.role, user.partner_id, user.all_accounts) == ("partner", "administrator", partner.id, True)
    assert passwords.verify(user.password_hash, PASSWORD)
    assert {(event.partner_id, event.activity) for event in events} == {
        (partner.id, "User management"),
        (None, "User management"),
    }
    assert len(_all(DataCenter)) == 10


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("code", "A!"),
        ("code", "AB"),
        ("code", "A" * 21),
        ("name", " "),
        ("name", "A\x07larm"),
        ("name", "A" * 10_000),
        ("currency", "EUX"),
        ("currency", "DEM"),
        ("time_zone", "Europe/Pariss"),
        ("time_zone", "../../etc/passwd"),
        ("admin_email", "nobody"),
        ("admin_name", ""),
    ],
)
def test_what_can_not_be_taken_is_named(run: Run, capsys: pytest.CaptureFixture[str], field: str, value: str) -> None:
    assert run(*_partner(**{field: value})) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("--" + field.replace("_", "-") + ": ")
    assert not _all(Partner)
    assert not _all(User)


def test_all_faults_come_at_once(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*_partner(code="", currency=""), typed="short\n") == 1
    assert [line.split(":")[0] for line in capsys.readouterr().err.splitlines()] == ["--code", "--currency", "Password"]


def test_both_may_be_invited_by_mail_instead(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*OPERATOR[:-1], "--invite", typed="") == 0
    assert run(*_partner()[:-1], "--invite", typed="") == 0
    assert "An invitation is on its way to Ann@Provider.test." in capsys.readouterr().out
    assert [(user.state, user.password_hash) for user in _all(User)] == [("invited", None)] * 2
    assert [(mail.kind, mail.recipient) for mail in _all(OutboxMail)] == [
        ("invitation", "Ann@Provider.test"),
        ("invitation", "Bo@Acme.test"),
    ]
    with pytest.raises(SystemExit):
        run(*OPERATOR, "--invite")


@pytest.mark.parametrize("typed", ["", "\n", "short\n", "password1234\n", "x" * 200 + "\n"])
def test_a_bad_password(run: Run, capsys: pytest.CaptureFixture[str], typed: str) -> None:
    assert run(*OPERATOR, typed=typed) == 1
    assert capsys.readouterr().err.startswith("Password: ")
    assert not _all(User)


def test_only_the_line_ending_is_no_part_of_the_password(run: Run) -> None:
    assert run(*OPERATOR, typed=f" {PASSWORD} \r\n") == 0
    (user,) = _all(User)
    assert passwords.verify(user.password_hash, f" {PASSWORD} ")


def test_an_address_counts_once_in_any_case(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*OPERATOR) == 0
    assert run(*_partner(admin_email="ANN@PROVIDER.TEST")) == 1
    assert capsys.readouterr().err == "A user with the email ANN@PROVIDER.TEST exists already.\n"
    assert not _all(Partner)
    assert len(_all(User)) == 1


def test_a_partner_id_counts_once(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*_partner()) == 0
    assert run(*_partner(code="Acme01", admin_email="other@acme.test")) == 1
    assert capsys.readouterr().err == "The partner ID ACME01 is in use already.\n"
    assert len(_all(User)) == 1


@pytest.mark.usefixtures("database")
def test_of_two_at_the_same_moment_one_is_refused() -> None:
    answers: list[str] = []
    start = threading.Barrier(2)

    def make() -> None:
        start.wait()
        try:
            db.write(create_operator, system(), "ann@provider.test", "Ann", PASSWORD)
            answers.append("made")
        except Conflict:
            answers.append("refused")

    threads = [threading.Thread(target=make) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == ["made", "refused"]


@pytest.mark.usefixtures("database")
def test_a_partner_can_not_make_operators_or_partners() -> None:
    with db.writing() as session:
        admin = factories.actor(factories.user(session, factories.partner(session)))
    new = NewPartner("ACME01", "Acme", "EUR", "Europe/Paris", "bo@acme.test", "Bo", PASSWORD)
    with pytest.raises(Denied):
        db.write(create_operator, admin, "x@provider.test", "X", PASSWORD)
    with pytest.raises(Denied):
        db.write(create_partner, admin, new)
    assert len(_all(User)) == 1


def test_currencies_are_those_of_today() -> None:
    assert {"EUR", "USD", "JPY", "KWD", "GBP", "CHF", "INR", "ZAR", "AUD", "CAD"} <= currencies()
    assert not {"DEM", "XXX", "EUX"} & currencies()


class Terminal:
    """Standard input as a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("answers", "code"), [([PASSWORD, PASSWORD], 0), ([PASSWORD, "another"], 1)])
def test_the_terminal_asks_twice(
    answers: list[str], code: int, monkeypatch: pytest.MonkeyPatch, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = iter(answers)
    monkeypatch.setattr("getpass.getpass", lambda _prompt: next(asked))
    monkeypatch.setattr("io.StringIO", lambda _typed: Terminal())
    assert run(*OPERATOR[:-1]) == code
    assert next(asked, "all asked") == "all asked"
    assert ("not the same" in capsys.readouterr().err) == (code == 1)


def test_without_a_terminal_it_says_how(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*OPERATOR[:-1]) == 1
    assert "--password-stdin" in capsys.readouterr().err


def test_a_token_is_shown_once_and_works(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*_partner()) == 0
    capsys.readouterr()
    assert run("create-api-token", "--partner", "acme01", "--name", "NAS", "--days", 30) == 0
    token = capsys.readouterr().out.strip()
    with db.reading() as session:
        actor = tokens.find_token(session, token, Origin())
    assert actor.partner_id == _all(Partner)[0].id
    assert actor.permissions == {Permission.BACKUPS_RUN}
    assert token not in str([event.description for event in _all(AuditEvent)])


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--partner", "NOBODY", "--name", "x"), "There is no partner NOBODY."),
        (("--partner", "ACME01", "--name", ""), "--name: "),
        (("--partner", "ACME01", "--name", "x", "--days", "0"), "--days: "),
        (("--partner", "ACME01", "--name", "x", "--days", "99999999999"), "--days: "),
    ],
)
def test_a_token_that_can_not_be_made(
    run: Run, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], sentence: str
) -> None:
    assert run(*_partner()) == 0
    assert run("create-api-token", *words) == 1
    assert capsys.readouterr().err.startswith(sentence)
