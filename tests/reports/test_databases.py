"""The usage report on each database that is supported."""

from sqlmodel import Session, col, select

from portal_app import db
from portal_app.files import service as files
from portal_app.jobs.worker import Worker
from portal_app.models import JobState, StoredFile
from portal_app.reports import repository, usage
from tests.cast import Cast, make_cast
from tests.reports.test_usage import entity, jobs, rows_in, task_of


def test_the_same_lines_on_each_database(store: dict[str, str], monkeypatch) -> None:
    monkeypatch.setattr(repository, "ROWS_AT_ONCE", 2)
    cast: Cast = db.write(make_cast)

    def fill(session: Session) -> None:
        for account in cast.accounts_a[:2]:
            for number in range(5):
                entity(session, task_of(session, account), f"box {number}", licensed=number % 2 == 0)

    db.write(fill)
    db.write(usage.ask, cast.actor("alice"), [account.id for account in cast.accounts_a])
    Worker({usage.KIND: usage.run}, 1).run_due()
    assert [job.state for job in jobs()] == [JobState.DONE]
    file = db.read(lambda session: session.exec(select(StoredFile).order_by(col(StoredFile.id))).one())
    found = [(row[0], row[3], row[6]) for row in rows_in(files.path_of(file).read_bytes())[1:]]
    licensed = ("licensed", "unlicensed") * 2 + ("licensed",)
    ash, birch, elm = (account.name for account in cast.accounts_a)
    boxes = [(name, f"box {number}", word) for name in (ash, birch) for number, word in enumerate(licensed)]
    assert found == [*boxes, (elm, f"Files of {elm}", "")]
