"""Files of accounts for tests, and short ways to upload them."""

from collections.abc import Sequence

from sqlmodel import SQLModel, func, select

from portal_app import db
from portal_app.accounts import import_service
from portal_app.auth.actor import Actor
from portal_app.models import Account, AuditEvent

HEADER = "Account name,Account email,Data center,Subscription"


def silent(_share: float) -> None:
    """Nobody watches."""


def sheet(*rows: str, header: str = HEADER) -> bytes:
    """A CSV with these lines."""
    return "\r\n".join((header, *rows, "")).encode()


def many(number: int, mark: str = "x") -> bytes:
    """A CSV of so many accounts; every tenth is subscribed."""
    return sheet(
        *(
            f"Müller & Söhne {i},{mark}{i}@many-{i % 90}.example,,{'Monthly' if i % 10 == 0 else ''}"
            for i in range(number)
        )
    )


def put(actor: Actor, content: bytes, name: str = "customers.csv") -> str:
    """Upload the file as this person; gives the import's id."""
    return db.write(import_service.put, actor, name, content)


def rows(model: type[SQLModel]) -> int:
    """How many rows the table has."""
    with db.reading() as session:
        return session.exec(select(func.count()).select_from(model)).one()


def emails() -> list[str]:
    """The addresses of all accounts."""
    with db.reading() as session:
        return sorted(session.exec(select(Account.email)))


def audit() -> Sequence[AuditEvent]:
    """The whole audit, oldest first."""
    with db.reading() as session:
        return session.exec(select(AuditEvent).order_by(AuditEvent.id)).all()
