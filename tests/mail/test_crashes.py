"""A deliverer that is killed loses nothing; several at once send nothing twice."""

import multiprocessing
import os
import signal
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from portal_app import clock, db
from portal_app.mail import outbox as box
from portal_app.mail import service
from portal_app.mail.letter import Letter
from portal_app.models import MailState
from tests.mail import victim
from tests.mail.conftest import deliver, outbox, put
from tests.mail.servers import Mailbox

processes: Any = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload(["tests.mail.victim"])


def environment(store: dict[str, str]) -> dict[str, str]:
    return store | {name: value for name, value in os.environ.items() if name.startswith("PORTAL_SMTP_")}


def test_killed_between_sending_and_marking(store, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    put(*(f"{name}@people.example" for name in "abcd"))
    died = processes.Process(target=victim.run, args=(environment(store), 2))
    died.start()
    died.join(60)
    assert died.exitcode == -signal.SIGKILL
    assert mailbox.recipients == ["a@people.example", "b@people.example", "c@people.example"]
    deliver()  # the others go on at once, the one in doubt waits for the lease
    assert mailbox.recipients[3:] == ["d@people.example"]
    after = clock.now() + box.LEASE + timedelta(seconds=1)
    monkeypatch.setattr(clock, "now", lambda: after)
    deliver()
    assert mailbox.recipients[4:] == ["c@people.example"]
    assert mailbox.taken[2][1]["Message-ID"] == mailbox.taken[4][1]["Message-ID"]
    assert mailbox.taken[2][1].as_bytes() == mailbox.taken[4][1].as_bytes()
    assert {mail.state for mail in outbox().values()} == {MailState.SENT}


def test_several_at_once_send_each_mail_once(store, mailbox: Mailbox) -> None:
    everybody = [f"person{number}@people.example" for number in range(16)]
    put(*everybody)
    workers = [processes.Process(target=victim.run, args=(environment(store),)) for _ in range(3)]
    for worker in workers:
        worker.start()
    deliver()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    assert Counter(mailbox.recipients) == dict.fromkeys(everybody, 1)
    assert {mail.state for mail in outbox().values()} == {MailState.SENT}


def test_who_comes_back_after_the_lease_changes_nothing(store, monkeypatch: pytest.MonkeyPatch) -> None:
    put("ann@people.example")
    slow = db.write(box.claim, clock.now())
    assert db.write(box.claim, clock.now()) is None
    after = clock.now() + box.LEASE + timedelta(seconds=1)
    monkeypatch.setattr(clock, "now", lambda: after)
    quick = db.write(box.claim, after)
    db.write(box.again_later, slow, "too late")
    assert outbox()["ann@people.example"].claim == quick.claim
    db.write(box.sent, quick)
    db.write(box.failed, slow, "too late")
    assert outbox()["ann@people.example"].state == MailState.SENT


def test_one_event_at_the_same_instant_queues_one_mail(store) -> None:
    letter = Letter("s", ("p",))

    def change(_number: int) -> None:
        db.write(service.queue, "ann@people.example", letter, kind="test", once="same")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(change, range(24)))
    assert len(outbox()) == 1
