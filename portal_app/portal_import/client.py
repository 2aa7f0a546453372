"""Reads an existing portal over HTTP: bounded in time, size and pages, and never into a private network.

The portal's address was typed by somebody: the storage relay is the only way out, it judges each address and follows
no redirect. What comes back is a stranger's, too: nothing of it is believed before it is looked at.
"""

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx

from portal_app.accounts.storage_relay import Blocked, Relay
from portal_app.errors import Conflict, Invalid
from portal_app.portal_import.foreign import FIELDS, UNUSED, Credentials, Found
from portal_app.settings import settings

SILENCE_SECONDS, ANSWER_SECONDS = 20.0, 60.0
MOST_BYTES = 32 * 1024 * 1024
PAGE_SIZE, MOST_PAGES, MOST_OBJECTS = 500, 2_000, 500_000
WAITS = (1.0, 3.0, 10.0)
LONGEST_WAIT = 30.0

NOT_SECURE = "Give the portal's address, such as https://portal.example."
WRONG = "The portal refused to sign in with these. Check client id, client secret, email and password."
PATHS = {
    1: {
        "partner": "partners",
        "accounts": "partners/users",
        "tasks": "partners/tasks",
        "states": "partners/status",
        "bills": "partners/bills",
    },
    2: {
        "partner": "resellers/details",
        "accounts": "resellers/accounts",
        "tasks": "resellers/accounts/backup-tasks",
        "states": "resellers/accounts/backup-statuses",
        "bills": "resellers/bills",
    },
}
NAMES = {"partner": "partner", "accounts": "accounts", "tasks": "tasks", "states": "states", "bills": "bills"}
_BLOCKED = {
    Blocked.UNKNOWN_HOST: "There is no server of this name. Check the portal's address.",
    Blocked.FORBIDDEN: "This address lies in a private network, where the portal may not read.",
    Blocked.UNREACHABLE: "The portal can't be reached at this address.",
}
# Told how many objects of what have been read; gives up when it raises.
OnStep = Callable[[str, int], None]


class _Again(Exception):
    """Worth another try after some seconds; `sentence` is for when there is none left."""

    def __init__(self, sentence: str, seconds: float | None = None) -> None:
        super().__init__(sentence)
        self.sentence, self.seconds = sentence, seconds


class _SignedOut(Exception):
    """What the sign-in gave has ended."""


def source_of(url: str) -> str:
    """The address of a portal without a version, as it is kept. Raises Invalid for `url`."""
    given = url.strip().rstrip("/")
    for version in ("/v1", "/v2"):
        given = given.removesuffix(version)
    try:
        parts = urlsplit(given)
        usable = bool(parts.hostname) and parts.port != 0 and not (parts.query or parts.fragment or "@" in parts.netloc)
    except ValueError:
        raise Invalid(url=NOT_SECURE) from None
    secure = parts.scheme == "https" or (parts.scheme == "http" and settings().allow_private_storage)
    if not usable or not secure or len(given) > 300 or not given.isascii():
        raise Invalid(url=NOT_SECURE)
    return f"{parts.scheme}://{parts.netloc.lower()}{parts.path.rstrip('/')}"


def read(given: Credentials, on_step: OnStep, wait: Callable[[float], None] = time.sleep) -> Found:
    """Everything there is. Raises Invalid for credentials that are refused, Conflict when it can't be read."""
    private = settings().allow_private_storage
    with Relay(given.source, allow_private=private, timeout=SILENCE_SECONDS, most=None) as relay:
        limits = httpx.Timeout(SILENCE_SECONDS)
        with httpx.Client(proxy=relay.url, timeout=limits, follow_redirects=False, trust_env=False) as http:
            return _Reader(given, http, relay, on_step, wait).all()


class _Reader:
    """One reading of a portal."""

    def __init__(self, given: Credentials, http: httpx.Client, relay: Relay, on_step: OnStep, wait: Any) -> None:
        self._given, self._http, self._relay, self._on_step, self._wait = given, http, relay, on_step, wait
        self._paths, self._access = PATHS[given.version], ""
        self._found = Found()

    def all(self) -> Found:
        """Sign in, then read list after list."""
        self._sign_in()
        partner = self._get("partner", {})
        self._found.partner = partner if isinstance(partner, dict) else {}
        for kind in FIELDS:
            rows = getattr(self._found, kind)
            for page in self._pages(kind):
                rows += self._kept(kind, page)
                self._on_step(kind, len(rows))
                if len(rows) > MOST_OBJECTS:
                    raise Conflict(f"The portal has more than {MOST_OBJECTS:,} {kind}: more than can be imported.")
        return self._found

    def _kept(self, kind: str, page: list[Any]) -> Iterator[dict[str, Any]]:
        known = {*FIELDS[kind], *UNUSED[kind]}
        for row in page:
            if not isinstance(row, dict):
                self._odd(f"Among the {kind} there is something that is no object. It was left out.")
                continue
            if unknown := sorted(str(name)[:40] for name in row.keys() - known)[:5]:
                self._odd(f"The import doesn't know these fields of {kind}: {', '.join(unknown)}.")
            yield {name: row[name] for name in FIELDS[kind] if name in row}

    def _pages(self, kind: str) -> Iterator[list[Any]]:
        page, params, seen, count, total = 1, self._first(), set(), 0, None
        while True:
            told = self._get(kind, params)
            rows = told.get("data") if isinstance(told, dict) else told
            if not isinstance(rows, list):
                raise Conflict(f"The portal's answer for its {kind} can't be read: it holds no list.")
            mark = hashlib.sha256(json.dumps(rows).encode()).digest()
            if rows and mark in seen:
                self._odd(f"The portal gave the same page of {kind} twice; the reading of them ended there.")
                break
            seen.add(mark)
            yield rows
            head = told if isinstance(told, dict) else {}
            count, total = count + len(rows), _count(head.get("total"))
            following = self._next(head, page, rows)
            if following is None:
                break
            page, params = page + 1, following
            if page > MOST_PAGES:
                raise Conflict(f"The portal's list of {kind} does not end.")
        if total is not None and count != total:
            self._odd(f"The portal says that it has {total:,} {kind}, and gave {count:,}.")

    def _first(self) -> dict[str, Any]:
        return {"pageSize": PAGE_SIZE} if self._given.version == 1 else {"page": 1, "limit": PAGE_SIZE}

    def _next(self, head: dict[str, Any], page: int, rows: list[Any]) -> dict[str, Any] | None:
        pages, token = _count(head.get("totalPages")), head.get("nextPageToken")
        if not rows or (pages is not None and page >= pages) or (pages is None and not token):
            return None
        if self._given.version == 2:
            return {"page": page + 1, "limit": PAGE_SIZE}
        return {"pageSize": PAGE_SIZE, "page": page + 1} | ({"nextPageToken": str(token)[:500]} if token else {})

    def _odd(self, sentence: str) -> None:
        if sentence not in self._found.oddities and len(self._found.oddities) < 100:
            self._found.oddities.append(sentence)

    def _sign_in(self) -> None:
        body = {"email": self._given.email, "password": self._given.password}
        try:
            told = self._send("POST", "auth/partner", json=body)
        except _SignedOut:
            raise Invalid(WRONG) from None
        access = told.get("accessToken") if isinstance(told, dict) else None
        if not isinstance(access, str) or not 0 < len(access) < 8_000 or not access.isascii():
            raise Conflict("The portal signed us in, but its answer can't be read.")
        self._access = access

    def _get(self, kind: str, params: dict[str, Any]) -> Any:
        try:
            return self._send("GET", self._paths[kind], params=params)
        except _SignedOut:
            self._sign_in()
        try:
            return self._send("GET", self._paths[kind], params=params)
        except _SignedOut:
            raise Conflict(f"These credentials may not read the portal's {NAMES[kind]}.") from None

    def _send(self, method: str, path: str, **given: Any) -> Any:
        """The answer, after some tries where the portal is busy or breaks."""
        for seconds in WAITS:
            try:
                return self._try(method, path, given)
            except _Again as fault:
                self._wait(min(LONGEST_WAIT, seconds if fault.seconds is None else fault.seconds))
        try:
            return self._try(method, path, given)
        except _Again as fault:
            raise Conflict(fault.sentence) from None

    def _try(self, method: str, path: str, given: dict[str, Any]) -> Any:
        url = f"{self._given.source}/v{self._given.version}/{path}"
        try:
            with self._http.stream(method, url, headers=self._headers(), **given) as answer:
                self._check(answer)
                content = _content(answer)
        except httpx.TimeoutException:
            raise _Again(f"The portal was silent for {SILENCE_SECONDS:.0f} seconds.") from None
        except httpx.HTTPError:
            raise self._broken() from None
        try:
            return json.loads(content)
        except (ValueError, RecursionError):
            raise Conflict("The portal's answer can't be read: it is no JSON.") from None

    def _broken(self) -> Exception:
        if self._relay.blocked in _BLOCKED:
            return Invalid(url=_BLOCKED[self._relay.blocked])
        return _Again("The connection to the portal broke.")

    def _headers(self) -> dict[str, str]:
        mine = {"client-id": self._given.client_id, "client-secret": self._given.client_secret}
        mine |= {"Accept": "application/json", "Accept-Encoding": "identity"}
        if not self._access:
            return mine
        before = "Bearer " if self._given.version == 1 else ""
        return mine | {"Authorization": before + self._access}

    def _check(self, answer: httpx.Response) -> None:
        status = answer.status_code
        if self._relay.blocked in _BLOCKED and status == 502:
            raise Invalid(url=_BLOCKED[self._relay.blocked])
        if status == 429 or status >= 500:
            busy = "is busy" if status == 429 else "does not work at the moment"
            raise _Again(f"The portal {busy} (status {status}). Please try again later.", _pause(answer))
        if status in (401, 403):
            raise _SignedOut
        if 300 <= status < 400:
            raise Conflict("The portal sends us to another address. Give that address.")
        if status != 200:
            raise Conflict(f"The portal does not answer as one that can be imported (status {status}).")


def _content(answer: httpx.Response) -> bytes:
    """The body; of one that is too long or too slow, none."""
    parts, size, ends = [], 0, time.monotonic() + ANSWER_SECONDS
    if answer.headers.get("content-encoding", "identity") != "identity":
        raise Conflict("The portal's answer can't be read: it is packed.")
    for part in answer.iter_raw():
        size += len(part)
        if size > MOST_BYTES:
            raise Conflict("The portal's answer is too large.")
        if time.monotonic() > ends:
            raise _Again(f"The portal took more than {ANSWER_SECONDS:.0f} seconds for an answer.")
        parts.append(part)
    return b"".join(parts)


def _pause(answer: httpx.Response) -> float | None:
    given = answer.headers.get("retry-after", "")
    return float(given) if given.isdecimal() and len(given) < 6 else None


def _count(value: Any) -> int | None:
    """A number of pages or objects; None where there is none that can be believed."""
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 10:
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**9 else None
