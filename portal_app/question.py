"""Questions that every click asks: put into SQLite's words once, answered by the driver itself.

What SQLAlchemy adds to a statement whose answer takes some microseconds is many times that. Everywhere else
`session.execute` is the way.
"""

import sqlite3
from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Select
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from portal_app.view import View

Values = Mapping[str, Any]
Change = Callable[[Any], Any] | None


class Question:
    """A SELECT of plain columns that differs from time to time by its parameters alone."""

    def __init__(self, statement: Select[Any]) -> None:
        self.statement = statement
        self._words: _Words | None = None

    def rows(self, session: Session, values: Values, *, alone: bool = False) -> Sequence[Any]:
        """All rows. `alone`: of a moment of their own if nothing else was asked yet, without a transaction around."""
        bind: Any = session.bind
        # Who listens for statements hears these too.
        if bind.dialect.name != "sqlite" or bind.dispatch.before_cursor_execute:
            return session.connection().execute(self.statement, values).all()
        words = self._words = self._words or _Words(self.statement, bind.dialect)
        try:
            found = _cursor(session, alone=alone).execute(words.text, words.values(values)).fetchall()
        except sqlite3.Error as fault:
            raise OperationalError(words.text, None, fault, hide_parameters=True) from fault
        return words.rows(found)

    def first(self, session: Session, values: Values, *, alone: bool = False) -> Any:
        """The one row that the statement asks for, or None."""
        found = self.rows(session, values, alone=alone)
        return found[0] if found else None


class _Words:
    """The statement as SQLite takes it; what becomes of values on their way there and back."""

    def __init__(self, statement: Select[Any], dialect: Dialect) -> None:
        compiled: Any = statement.compile(dialect=dialect)
        self.text = str(compiled)
        binds = [compiled.binds[name] for name in compiled.positiontup]
        self._given: list[tuple[str, Any, Change]] = [
            (bind.key, bind.value, bind.type.dialect_impl(dialect).bind_processor(dialect)) for bind in binds
        ]
        columns = statement.selected_columns
        changes = [one.type.dialect_impl(dialect).result_processor(dialect, None) for one in columns]
        self._changes = [(at, change) for at, change in enumerate(changes) if change]
        self._row: Any = namedtuple("Row", columns.keys())

    def values(self, values: Values) -> list[Any]:
        found = ((values.get(name, given), change) for name, given, change in self._given)
        return [change(value) if change else value for value, change in found]

    def rows(self, kept: Sequence[Sequence[Any]]) -> list[Any]:
        found: Iterable[Sequence[Any]] = kept
        if self._changes and kept:
            # Column by column: most have nothing to change.
            columns: list[Iterable[Any]] = list(zip(*kept, strict=True))
            for at, change in self._changes:
                columns[at] = map(change, columns[at])
            found = zip(*columns, strict=True)
        return list(map(self._row._make, found))


def _cursor(session: Session, *, alone: bool) -> Any:
    if isinstance(session, View) and not session.whole:
        return session.cursor(alone=alone)
    return session.connection().connection.cursor()
