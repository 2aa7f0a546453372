"""A session that reads from SQLite, of which most are asked nothing but one or two `Question`s.

To set up SQLAlchemy's session and transaction and to end them takes longer than the answers. So it is not done before
anything else is asked of it; the transaction that the questions began goes on then.
"""

from typing import Any

from sqlalchemy import Engine
from sqlalchemy.engine import Connection
from sqlmodel import Session


class View(Session):
    """Its questions go to the driver until it is `whole`."""

    def __init__(self, engine: Engine) -> None:
        self.bind = engine
        self.info = {"reading": True}
        self.whole = False
        self._driver: Any = None

    def cursor(self, *, alone: bool) -> Any:
        """The driver's, in a transaction; `alone`: in none, unless one has begun."""
        if self._driver is None:
            self._driver = self.bind.raw_connection()  # type: ignore[union-attr]
        made = self._driver.cursor()
        if not alone and not self._driver.in_transaction:
            made.execute("BEGIN")
        return made

    def close(self) -> None:
        if self.whole:
            super().close()
        if self._driver is not None:
            # Which rolls its transaction back.
            self._driver.close()
            self._driver = None

    def __getattr__(self, name: str) -> Any:
        if self.whole:
            raise AttributeError(name)
        self.whole = True
        engine: Any = self.bind
        bind = engine if self._driver is None else Connection(engine, self._driver)
        super().__init__(bind, expire_on_commit=False, autoflush=False, info=self.info)
        return getattr(self, name)
