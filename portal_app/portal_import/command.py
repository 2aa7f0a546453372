"""`python -m portal_app import-portal`: the dry run on the terminal, and the import."""

import argparse
import os
import sys
from dataclasses import replace

from portal_app import db
from portal_app.accounts.import_csv import counted
from portal_app.accounts.import_service import for_partner
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.errors import Invalid
from portal_app.models import SubscriptionType
from portal_app.portal_import import choices, report, service, work
from portal_app.portal_import.choices import LEAVE, Choices, Order
from portal_app.portal_import.report import Report

ABOUT = "Bring accounts, tasks, states and bills over from an existing portal: a dry run, unless told to apply it."
# Not on the command line, where others on this machine could read them.
SECRETS = {
    "client_id": "IMPORT_CLIENT_ID",
    "client_secret": "IMPORT_CLIENT_SECRET",
    "email": "IMPORT_EMAIL",
    "password": "IMPORT_PASSWORD",
}
ACTIONS = {"add": "added", "change": "changed", "same": "left as they are", "left": "left out"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.epilog = f"The credentials come from the environment: {', '.join(SECRETS.values())}."
    parser.add_argument("--partner", required=True, metavar="CODE", help="the partner ID here")
    parser.add_argument("--url", required=True, help="the portal's address, without a version")
    parser.add_argument("--version", required=True, choices=["1", "2"], help="of the portal's partner API")
    parser.add_argument("--apply", action="store_true", help="import it; without this nothing is changed")
    parser.add_argument(
        "--region", action="append", default=[], metavar="WORD=CODE", help="the data center of a region, once for each"
    )
    parser.add_argument(
        "--status",
        action="append",
        default=[],
        metavar="WORD=HOW",
        help=f"how accounts of a status begin: {', '.join(SubscriptionType)} or {LEAVE}",
    )
    parser.add_argument("--without-digits", action="store_true", help="leave out digits at the end of names")


def run(given: argparse.Namespace, by: Actor) -> int:
    """Read, compare, tell; import if asked to. Gives the exit code."""
    actor = db.read(for_partner, by, given.partner)
    actor.require(Permission.ACCOUNTS_ADD)
    secrets = {name: os.environ.get(variable, "") for name, variable in SECRETS.items()}
    asked = service.credentials(secrets | {"url": given.url, "version": given.version})
    found, portal, chosen = work.read(actor, asked, _tell)
    order = Order(actor, asked.source, _chosen(given, chosen))
    made = work.compare(order, found, portal, _tell)
    _say(made, order.choices)
    if not given.apply:
        print("Nothing was changed. With --apply it is imported.")
        return 0
    failed = work.import_all(order, portal, made, fence=lambda _session: None, tell=_tell)
    for name, sentence in failed:
        print(f"{name}: {sentence}", file=sys.stderr)
    print(f"Imported; {counted(len(failed))} could not be." if failed else "Imported.")
    return int(bool(failed))


def _tell(percent: int, words: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{percent} % {words}", end="", file=sys.stderr, flush=True)


def _chosen(given: argparse.Namespace, before: Choices) -> Choices:
    centers = db.read(report.centers_of)
    by_code = {center.code: center.id or 0 for center in centers}
    regions = {word: by_code.get(code, 0) for word, code in _pairs(given.region, "--region").items()}
    asked = {"regions": regions, "statuses": _pairs(given.status, "--status"), "digits": given.without_digits}
    return replace(choices.checked(asked, before, centers), digits=given.without_digits)


def _pairs(given: list[str], option: str) -> dict[str, str]:
    pairs = [one.partition("=") for one in given]
    if any(not sign for _, sign, _ in pairs):
        raise Invalid(f"Give {option} as WORD=VALUE.")
    return {word.strip().upper(): value.strip() for word, _, value in pairs}


def _say(made: Report, chosen: Choices) -> None:
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)
    for name, email, _status, _action, sentence, *_counts in made.lines:
        print(f"{name} <{email}>: {sentence}")
    for kind, name, where, value, sentence in made.faults:
        print(f"{kind} {name}, {where} ({value}): {sentence}", file=sys.stderr)
    for sentence in made.oddities:
        print(sentence, file=sys.stderr)
    verb = "are written without them" if chosen.digits else "keep them (--without-digits)"
    if made.name_count:
        print(f"Names that end in digits: {made.name_count:,}. They {verb}.")
    told = (f"{made.totals.get(action, 0):,} {words}" for action, words in ACTIONS.items())
    print(f"{counted(len(made.lines))}: {', '.join(told)}.")
