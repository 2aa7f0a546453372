"""Keeps a file for whoever may see it, until it ends."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from sqlmodel import Session, col, select, update

from portal_app import clock, db
from portal_app.auth.actor import Actor, ActorKind
from portal_app.auth.permissions import Permission
from portal_app.backups.repository import visible
from portal_app.errors import NotFound
from portal_app.mail.links import absolute
from portal_app.models import Account, StoredFile
from portal_app.settings import settings

KEPT = timedelta(days=7)
ATTACHED = "file"
# Bytes: many mail servers take no more than 25 MB, and a file grows by a third on its way.
ATTACHED_AT_MOST = 10_000_000
NOT_FOUND = "There is no such file. It may have been deleted after its time."


def new_place() -> Path:
    """Where the next file may be written: a name that nobody can guess, in a folder of our own."""
    folder().mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder() / secrets.token_hex(16)


@contextmanager
def new_file() -> Iterator[Path]:
    """A `new_place()` whose file is removed unless the block ends well."""
    place = new_place()
    try:
        yield place
    except BaseException:
        place.unlink(missing_ok=True)
        raise


def keep(
    session: Session,
    place: Path,
    *,
    name: str,
    kind: str,
    partner_id: int,
    permission: Permission,
    account_id: int | None = None,
    user_id: int | None = None,
) -> StoredFile:
    """Enter a whole file at a `new_place()` under its `name` for people; it ends after `KEPT`."""
    now = clock.now()
    file = StoredFile(
        partner_id=partner_id,
        account_id=account_id,
        user_id=user_id,
        permission=permission,
        kind=kind,
        name=name,
        path=place.name,
        size_bytes=place.stat().st_size,
        made_at=now,
        ends_at=now + KEPT,
    )
    session.add(file)
    session.flush()
    return file


def find(session: Session, actor: Actor, file_id: int) -> StoredFile:
    """The file, if the actor may fetch it. Raises NotFound: unknown, ended and a stranger's are the same."""
    file = session.get(StoredFile, file_id)
    if file is None or file.ends_at <= clock.now() or not _may_fetch(session, actor, file):
        raise NotFound(NOT_FOUND)
    return file


def attachment(source: str) -> bytes:
    """What a letter's attachment such as "file:7" holds (`mail.delivery`). Raises NotFound."""
    file = db.read(Session.get, StoredFile, int(source.removeprefix(f"{ATTACHED}:")))
    if file is None:
        raise NotFound(NOT_FOUND)
    return path_of(file).read_bytes()


def fits_a_mail(file: StoredFile) -> bool:
    """Whether it may be attached."""
    return file.size_bytes <= ATTACHED_AT_MOST


def source_of(file: StoredFile) -> str:
    """What names the file in a letter's attachments."""
    return f"{ATTACHED}:{file.id}"


def link_to(file: StoredFile) -> str:
    """The address of the file, for mails. It asks for a sign-in."""
    return absolute(f"/files/{file.id}")


def path_of(file: StoredFile) -> Path:
    """Where the file lies."""
    return folder() / file.path


def end_all_of(session: Session, account_id: int) -> None:
    """An account goes: nobody may fetch its files any more, and the next `prune` deletes them."""
    mine = col(StoredFile.account_id) == account_id
    session.execute(update(StoredFile).where(mine).values(ends_at=clock.now()))


def end_own(session: Session, user_id: int) -> None:
    """End what was made for a person of the accounts that they saw then: now they see others."""
    own = (col(StoredFile.user_id) == user_id, col(StoredFile.account_id).is_(None))
    session.execute(update(StoredFile).where(*own).values(ends_at=clock.now()))


def prune(session: Session) -> None:
    """Delete the files that have ended."""
    for file in session.exec(select(StoredFile).where(col(StoredFile.ends_at) <= clock.now())):
        path_of(file).unlink(missing_ok=True)
        session.delete(file)


def folder() -> Path:
    """Where all files lie."""
    return settings().data_dir / "files"


def _may_fetch(session: Session, actor: Actor, file: StoredFile) -> bool:
    if not actor.may(Permission(file.permission)) or (file.user_id and file.user_id != actor.user_id):
        return False
    if file.account_id is not None:
        mine = select(Account.id).where(col(Account.id) == file.account_id, visible(actor))
        return session.exec(mine).first() is not None
    mine = actor.kind == ActorKind.PARTNER and actor.partner_id == file.partner_id
    # What tells of all accounts of the partner is not for who sees some.
    return mine and (actor.all_accounts or file.user_id is not None)
