"""Reference numbers of bills and credit notes: one series of the deployment, without gaps."""

from sqlmodel import Session, col, select

from portal_app import db
from portal_app.models import Counter

SERIES = "bill"


def take(session: Session, many: int = 1) -> range:
    """The next numbers, in order. Others who want one wait until this transaction ends; rolled back, none is lost."""
    insert = db.insert(session, Counter)
    session.execute(insert.values(name=SERIES, number=0).on_conflict_do_nothing(index_elements=["name"]))
    mine = select(Counter).where(col(Counter.name) == SERIES).with_for_update()
    counter = session.exec(mine.execution_options(populate_existing=True)).one()
    first = counter.number + 1
    counter.number += many
    session.add(counter)
    session.flush()
    return range(first, first + many)
