"""The command line: `python -m portal_app …`. Every command is a thin way into a service."""

import argparse
import getpass
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

from sqlalchemy.exc import DatabaseError, OperationalError
from sqlmodel import Session, col, select

from portal_app import archive, build, clock, db, doctor, logs, migrations, serve
from portal_app.accounts.import_csv import counted
from portal_app.accounts.import_service import import_file
from portal_app.accounts.import_text import WINDOWS
from portal_app.audit import verify
from portal_app.auth import tokens
from portal_app.auth.actor import Actor, system
from portal_app.auth.permissions import Permission
from portal_app.backups.report import report
from portal_app.demo import generator, people
from portal_app.demo.service import ensure_demo, is_wanted
from portal_app.errors import Conflict, Invalid, NotFound, PortalError
from portal_app.ip_restrictions import service as ip_restrictions
from portal_app.jobs import loop, process
from portal_app.jobs.cycle import run_cycle
from portal_app.models import Partner
from portal_app.operator.service import NewPartner, create_operator, create_partner, invite_operator
from portal_app.portal_import import command as portal_import

Arguments = argparse.Namespace
Command = Callable[[Arguments], int]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 refused or failed, 2 wrong usage (argparse's own)."""
    words = sys.argv[1:] if argv is None else list(argv)
    if words[:1] == ["report"]:
        # It reads its own words, and what the wrapped command makes has the caller's mask.
        return report(words[1:])
    given = _parser().parse_args(words)
    # What a command makes (the database, keys, backups) is for the portal's own user only.
    os.umask(0o077)
    try:
        return given.command(given)
    except (PortalError, DatabaseError, OSError, KeyboardInterrupt) as fault:
        return _refused(*_told(fault))


def _told(fault: BaseException) -> list[str]:
    """The lines for a fault that is not the program's own; a defect is raised again."""
    if isinstance(fault, Invalid) and fault.fields:
        return [f"{_option(field)}: {sentence}" for field, sentence in fault.fields.items()]
    if isinstance(fault, PortalError):
        return [fault.sentence]
    if isinstance(fault, OSError):
        return [f"{fault.filename or 'The system'}: {fault.strerror}."]
    if type(fault) in {DatabaseError, OperationalError}:
        return ["The database can't be reached or read. `doctor` says more."]
    if isinstance(fault, KeyboardInterrupt):
        return ["Interrupted."]
    raise fault


def _refused(*lines: str) -> int:
    for line in lines:
        print(line, file=sys.stderr)
    return 1


def _option(field: str) -> str:
    return "Password" if field == "password" else "--" + field.replace("_", "-")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m portal_app", description="Runs and looks after the Partner Portal."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add(commands, "serve", _serve, "Serve the portal until interrupted.")
    _add_people(commands)
    _add_work(commands)
    _add_care(commands)
    return parser


def _add(commands: "argparse._SubParsersAction", name: str, command: Command, about: str) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=about, description=about)
    parser.set_defaults(command=command)
    return parser


def _add_people(commands: "argparse._SubParsersAction") -> None:
    operator = _add(
        commands, "create-operator", _create_operator, "Add a person of the provider, who signs in at once."
    )
    operator.add_argument("--email", required=True, help="the address to sign in with")
    operator.add_argument("--name", required=True, help="the person's name")
    _add_password(operator)
    partner = _add(commands, "create-partner", _create_partner, "Add a partner with its first administrator.")
    partner.add_argument("--code", required=True, help="the partner ID: 3 to 20 letters and digits, such as ACME01")
    partner.add_argument("--name", required=True, help="the partner's name")
    partner.add_argument("--currency", required=True, help="the currency of all its bills, such as EUR")
    partner.add_argument("--time-zone", required=True, help="such as Europe/Paris")
    partner.add_argument("--admin-email", required=True, help="the administrator's address to sign in with")
    partner.add_argument("--admin-name", required=True, help="the administrator's name")
    _add_password(partner)
    token = _add(commands, "create-api-token", _create_token, "Make a program's key to a partner's data; shown once.")
    token.add_argument("--partner", required=True, metavar="CODE", help="the partner ID")
    token.add_argument("--name", required=True, help="what the token is for")
    token.add_argument("--days", type=int, help="how long it is good for; without it, until it is revoked")
    token.add_argument(
        "--permission",
        action="append",
        choices=[permission.value for permission in Permission],
        metavar="KEY",
        help=f"what it may do, once for each (default: {Permission.BACKUPS_RUN.value}, which reports backups)",
    )


def _add_password(parser: argparse.ArgumentParser) -> None:
    ways = parser.add_mutually_exclusive_group()
    ways.add_argument(
        "--password-stdin", action="store_true", help="read the password from standard input instead of asking twice"
    )
    ways.add_argument("--invite", action="store_true", help="no password: mail a link that is good for 24 hours, once")


def _add_work(commands: "argparse._SubParsersAction") -> None:
    accounts = _add(
        commands, "import-accounts", _import_accounts, "Add many accounts of a partner from a CSV, all or none."
    )
    accounts.add_argument("file", type=Path, help="a file with the columns of the template on the import page")
    accounts.add_argument("--partner", required=True, metavar="CODE", help="the partner ID")
    accounts.add_argument("--dry-run", action="store_true", help="check the file, and change nothing")
    portal = _add(commands, "import-portal", _import_portal, portal_import.ABOUT)
    portal_import.add_arguments(portal)
    demo = _add(commands, "demo", _demo, "Make the demo data, once; with --accounts also a partner for benchmarks.")
    demo.add_argument("--accounts", type=int, help=f"how many accounts partner {people.BENCH} shall have")
    demo.add_argument("--entities", type=int, default=0, help="entities of a backup task of each (default: 0)")
    demo.add_argument("--runs", type=int, default=0, help="days of daily backups for each of them (default: 0)")
    worker = _add(commands, "worker", _worker, "Do backups, restores and reports until interrupted.")
    worker.add_argument("--beside-server", action="store_true", help="end with the server that started it")
    commands.add_parser("report", add_help=False, help="Run a backup command and report how it went (report --help).")
    cycle = _add(commands, "cycle", _cycle, "Do the daily work; what is done already stays done.")
    cycle.add_argument("--on", type=_day, metavar="DATE", help="up to this day, such as 2026-01-31 (default: today)")


def _add_care(commands: "argparse._SubParsersAction") -> None:
    backup = _add(commands, "backup", _backup, "Write database, key and files to a new file, while all runs on.")
    backup.add_argument("file", type=Path, help="the tar file to write; an existing one is never overwritten")
    restore = _add(commands, "restore", _restore, "Put a backup into the data folder; the portal must be stopped.")
    restore.add_argument("file", type=Path, help="a file that `backup` wrote")
    restore.add_argument(
        "--replace", action="store_true", help="set the present data aside; without it, none may be there"
    )
    restrictions = _add(
        commands, "ip-restrictions", _ip_restrictions, "Let the people of a partner in again who locked themselves out."
    )
    restrictions.add_argument("switch", choices=["off"], help="off: they may come from any address; the list stays")
    restrictions.add_argument("--partner", required=True, metavar="CODE", help="the partner ID")
    check = _add(commands, "verify-audit", _verify_audit, "Walk the audit's chains, and say where one is broken.")
    check.add_argument("--partner", metavar="CODE", help="only this partner's chain")
    _add(commands, "build", _build, "Build the pages if need be, for an image or before an upgraded portal starts.")
    _add(commands, "doctor", _doctor, "Look at settings, data folder, database, key, clock and pages; change nothing.")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date such as 2026-01-31") from None


def _actor() -> Actor:
    """The portal, under the name of who sits at the terminal."""
    try:
        person = getpass.getuser()
    except (KeyError, OSError):
        person = str(os.getuid())
    return replace(system(), name=f"Command line ({person})")


def _password(given: Arguments) -> str:
    if given.password_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise Invalid("There is no terminal to ask for the password at: give it with --password-stdin.")
    first = getpass.getpass("Password: ")
    if getpass.getpass("Password again: ") != first:
        raise Invalid("The two passwords were not the same.")
    return first


def _serve(_given: Arguments) -> int:
    serve.main()
    return 0


def _create_operator(given: Arguments) -> int:
    password = "" if given.invite else _password(given)
    migrations.upgrade()
    if given.invite:
        user = db.write(invite_operator, _actor(), given.email, given.name)
        print(f"An invitation is on its way to {user.email}.")
    else:
        user = db.write(create_operator, _actor(), given.email, given.name, password)
        print(f"Operator {user.email} can sign in.")
    return 0


def _create_partner(given: Arguments) -> int:
    new = NewPartner(
        given.code,
        given.name,
        given.currency,
        given.time_zone,
        given.admin_email,
        given.admin_name,
        "" if given.invite else _password(given),
    )
    migrations.upgrade()
    partner = db.write(create_partner, _actor(), new, invited=given.invite)
    said = "is invited by mail" if given.invite else "can sign in as its administrator"
    print(f"Partner {partner.code} is ready; {new.cleaned().admin_email} {said}.")
    return 0


def _create_token(given: Arguments) -> int:
    migrations.upgrade()
    print(db.write(_new_token, given))
    print("It is not shown again. Keep it like a password.", file=sys.stderr)
    return 0


def _new_token(session: Session, given: Arguments) -> str:
    code = given.partner.strip().upper()
    partner_id = session.exec(select(Partner.id).where(col(Partner.code) == code)).first()
    if partner_id is None:
        raise NotFound(f"There is no partner {code}.")
    if given.days is not None and not 1 <= given.days <= 36_500:
        raise Invalid(days="Give a number of days from 1 to 36,500.")
    ends_at = clock.now() + timedelta(days=given.days) if given.days else None
    permissions = frozenset(map(Permission, given.permission or [Permission.BACKUPS_RUN]))
    return tokens.create_token(session, _actor(), partner_id, given.name, permissions, ends_at=ends_at)


def _import_accounts(given: Arguments) -> int:
    migrations.upgrade()
    done = import_file(given.file, given.partner, given.dry_run, _actor())
    if done.encoding == WINDOWS:
        print(f"The file is not UTF-8; it was read as {WINDOWS}.", file=sys.stderr)
    if done.faults:
        return _refused(*map(str, done.faults), f"{counted(len(done.faults), 'fault')}. Nothing was imported.")
    ending = "imported" if done.saved else "could be imported. Nothing was changed"
    print(f"{counted(done.accounts)} {ending}.")
    return 0


def _import_portal(given: Arguments) -> int:
    migrations.upgrade()
    return portal_import.run(given, _actor())


def _demo(given: Arguments) -> int:
    migrations.upgrade()
    if ensure_demo():
        print(f"The demo data is made. Its people sign in with {people.PASSWORD}")
    elif not db.read(is_wanted):
        raise Conflict("This deployment is not a demo. Set PORTAL_DEMO=1 to make demo data all the same.")
    else:
        print("The demo data was there already.")
    if given.accounts is not None:
        made = generator.generate(given.accounts, runs=given.runs, entities=given.entities)
        print(f"Partner {people.BENCH}: {made.added:,} accounts added, {made.total:,} in all.")
    return 0


def _cycle(given: Arguments) -> int:
    migrations.upgrade()
    print(run_cycle(given.on).sentence)
    return 0


def _worker(given: Arguments) -> int:
    logs.begin()
    migrations.upgrade()
    with loop.with_worker():
        process.main(beside_server=given.beside_server)
    return 0


def _backup(given: Arguments) -> int:
    archive.backup(given.file)
    print(f"{given.file} is written. It holds the encryption key: keep it as safe as the data folder.")
    return 0


def _restore(given: Arguments) -> int:
    aside = archive.restore(given.file, replace=given.replace)
    print(f"{given.file} is restored; everybody signs in anew.")
    if aside:
        print(f"What was there before is in {aside}.")
    if archive.holds_other_key():
        print("PORTAL_ENCRYPTION_KEY is another key than the backup's: stored credentials can't be opened with it.")
    return 0


def _ip_restrictions(given: Arguments) -> int:
    migrations.upgrade()
    was_on = db.write(ip_restrictions.turn_off, _actor(), given.partner)
    print("IP restrictions are off now." if was_on else "IP restrictions were off already.")
    return 0


def _verify_audit(given: Arguments) -> int:
    code = (given.partner or "").strip().upper()
    found = {chain: name for chain, name in db.read(verify.chains).items() if not code or name == code}
    if not found:
        raise NotFound(f"There is no partner {code}.")
    return max(
        _verify_chain(chain, name or ("Without a partner" if not chain else f"Partner {chain}, which is gone"))
        for chain, name in found.items()
    )


def _verify_chain(chain: int, name: str) -> int:
    def tell(rows: int) -> None:
        print(f"\r{name}: {rows:,} rows so far", end="", file=sys.stderr, flush=True)

    verdict = db.read(verify.verify, chain, tell if sys.stderr.isatty() else lambda _rows: None)
    if sys.stderr.isatty():
        print(end="\r", file=sys.stderr)
    if verdict.fault:
        print(f"{name}: BROKEN: {verdict.fault}. The {verdict.rows:,} rows before it hold.")
        return 1
    print(f"{name}: {verdict.rows:,} rows hold. Ends with {verdict.hash or 'nothing yet'}")
    return 0


def _build(_given: Arguments) -> int:
    print("The pages are built." if build.ensure_built() else "The pages were built already.")
    return 0


def _doctor(_given: Arguments) -> int:
    findings = []
    for finding in doctor.examine():
        print(finding, flush=True)
        findings.append(finding)
    return int(any(finding.level == doctor.Level.FAIL for finding in findings))
