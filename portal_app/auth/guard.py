"""The one guard: every event and every route says who may use it, and is refused unless it does.

In Reflex each public method of a State can be called by anyone with a socket, with any arguments and without a page.
So identity comes only from cookie -> session in the database, at each event; never from a state variable.
"""

import logging
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from inspect import signature
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints
from urllib.parse import quote

import anyio.to_thread
import reflex as rx
from reflex.istate.manager.token import BaseStateToken
from reflex.state import BaseState, StateUpdate
from reflex_base.event import Event
from reflex_base.registry import RegistrationContext
from reflex_base.utils.form import FORM_DATA_ENTRIES_KEY

from portal_app import db
from portal_app.auth import denials, passkeys, sessions
from portal_app.auth.actor import NOBODY, Actor, ActorKind, Origin, elsewhere_sentence
from portal_app.auth.browsers import browser_name
from portal_app.auth.cookies import mark_in
from portal_app.auth.permissions import Permission
from portal_app.auth.state import SessionState, WaitingState
from portal_app.errors import Denied
from portal_app.ip_restrictions import refusals

log = logging.getLogger("portal.guard")
F = TypeVar("F", bound=Callable[..., Any])


SIGN_IN = "Please sign in."


@dataclass(frozen=True, slots=True)
class Policy:
    """Who may call a handler: anyone, anyone signed in (or of some kind), or who has one of the permissions."""

    open_to: str
    any_of: frozenset[Permission] = frozenset()
    # Only while the person has shown lately that it is they; else the event waits until they show it again.
    fresh: bool = False

    def check(self, actor: Actor) -> None:
        """Raise Denied with the sentence for the refusal."""
        if self.open_to == "public":
            return
        if actor.kind == ActorKind.ELSEWHERE:
            raise Denied(elsewhere_sentence(actor))
        if not actor.signed_in:
            raise Denied(SIGN_IN)
        if self.open_to == "operators" and actor.kind != ActorKind.OPERATOR:
            raise Denied("This page is for the provider's operators.")
        if self.open_to == "partners":
            actor.require_reader()
        if self.any_of and not self.any_of & actor.permissions:
            raise Denied(min(self.any_of).refusal)

    def __str__(self) -> str:
        return " or ".join(sorted(self.any_of)) or self.open_to


def requires(*any_of: Permission, fresh: bool = False) -> Callable[[F], F]:
    """The handler or route is for people who have one of the permissions.

    A `fresh` handler's event waits until the person has confirmed that it is they, unless they did lately.
    """
    if not any_of:
        raise ValueError("name a permission, or say signed_in()")
    return _marked(Policy("permission", frozenset(any_of), fresh))


def operators(*, fresh: bool = False) -> Callable[[F], F]:
    """The handler or route is for the provider's operators; `fresh` as in `requires`."""
    return _marked(Policy("operators", fresh=fresh))


def partners() -> Callable[[F], F]:
    """The handler or route is for everyone of a partner, whatever they may do there, and for operators."""
    return _marked(Policy("partners"))


def signed_in(*, fresh: bool = False) -> Callable[[F], F]:
    """The handler or route is for everyone who is signed in; `fresh` as in `requires`."""
    return _marked(Policy("signed in", fresh=fresh))


def public(reason: str) -> Callable[[F], F]:
    """The handler or route is for everyone; the reason is for the reader."""
    if not reason:
        raise ValueError("say why anyone may call it")
    return _marked(Policy("public"))


def _marked(policy: Policy) -> Callable[[F], F]:
    def mark(function: F) -> F:
        function.__policy__ = policy
        return function

    return mark


# What the compiled pages themselves send. `setvar` and `handle_frontend_exception` are not among them.
_FRAMEWORK_EVENTS = frozenset(
    {"hydrate", "hydrate_and_load", "set_is_hydrated", "on_load_internal", "update_vars_internal"}
)
_HYDRATES = frozenset({"hydrate", "hydrate_and_load"})
# The owner of a state that nobody signed in has filled.
_ANYONE = "anyone"
# What JSON has; a handler that declares another type checks it itself.
_PLAIN = frozenset({bool, dict, float, int, list, str, NoneType})
# The page for who comes from an address that their company does not trust.
ACCESS_DENIED = "/access-denied"
# Beyond it PostgreSQL's keys have no number, and it takes offence at one.
_MOST = 1 << 31
_NO_SUCH_ACTION = "There is no such action."
_actor: ContextVar[Actor] = ContextVar("actor", default=NOBODY)


def actor() -> Actor:
    """Who sent the event that is being handled."""
    return _actor.get()


def policy_of(event_name: str) -> Policy | None:
    """The policy that a handler declares; None when it declares nothing and so nobody may call it."""
    registered = RegistrationContext.get().event_handlers.get(event_name)
    if registered is None:
        return None
    function = registered.handler.fn
    if _is_framework(function):
        return Policy("public") if event_name.rpartition(".")[2] in _FRAMEWORK_EVENTS else None
    return getattr(function, "__policy__", None)


def _is_framework(function: Callable[..., Any]) -> bool:
    return getattr(function, "__module__", "").startswith(("reflex.", "reflex_base.", "reflex_components"))


def undeclared() -> list[str]:
    """Names of handlers that declare no policy, the framework's own refused ones aside."""
    refused = {"setvar", "handle_frontend_exception"}
    names = RegistrationContext.get().event_handlers
    return sorted(n for n in names if policy_of(n) is None and n.rpartition(".")[2] not in refused)


def origin_of(state: BaseState) -> Origin:
    """Where the socket of this event comes from."""
    headers = state.rx_router_headers
    return Origin(state.rx_router_session.client_ip, browser_name(headers.user_agent), mark_in(headers.cookie))


async def identify(state: BaseState, *, in_use: bool = True) -> Actor:
    """Read the actor afresh; notes the session's use when that is due and a person is using it."""
    token = sessions.token_in(state.rx_router_headers.cookie)
    found = await db.glance(sessions.identify, token, origin_of(state))
    if found.kind == ActorKind.ELSEWHERE:
        await anyio.to_thread.run_sync(refusals.note, found)
    if in_use and sessions.needs_noting(found):
        await db.work(sessions.note_use, found)
    return found


async def check_again(state: BaseState, *any_of: Permission) -> Actor:
    """For background work before each of its steps: the actor as of now, or Denied. Without permissions: an operator.

    A page that keeps itself up to date is not in use by anybody: the session's idle end stays where it is.
    """
    found = await identify(state, in_use=False)
    (Policy("permission", frozenset(any_of)) if any_of else Policy("operators")).check(found)
    _actor.set(found)
    return found


class Guard(rx.Middleware):
    """Runs before every event, however it was sent."""

    async def preprocess(self, app: rx.App, state: BaseState, event: Event) -> StateUpdate | None:
        name = event.name
        found = await identify(state)
        _actor.set(found)
        if not await _bound(state, name, found):
            return StateUpdate(events=_to_sign_in(state, found))
        policy = policy_of(name) if takes(name, event.payload) else None
        try:
            if policy is None:
                raise Denied(_NO_SUCH_ACTION)
            policy.check(found)
        except Denied as refusal:
            log.warning("refused %s policy=%s user=%s address=%s", name, policy, found.user_id, found.origin.address)
            if not found.signed_in and policy is not None:
                return StateUpdate(events=_to_sign_in(state, found))
            if found.signed_in:
                await anyio.to_thread.run_sync(denials.note, found, _short(name), refusal.sentence)
            return await _tell(state, refusal.sentence)
        return await _ask(state, event, found) if policy.fresh and not found.is_fresh else None


def _short(event_name: str) -> str:
    """The last state and the handler: `dashboard_state.load`."""
    return event_name.rpartition("____")[2]


def takes(event_name: str, payload: Mapping[str, Any]) -> bool:
    """Whether the payload has the arguments of the handler, each of its declared type.

    Reflex itself hands a handler whatever was sent. What a page sends always fits.
    """
    function = RegistrationContext.get().event_handlers[event_name].handler.fn
    parameters, hints = _declared(function)
    missing = [name for name, needed in parameters.items() if needed and name not in payload]
    if missing or not payload.keys() <= parameters.keys():
        return False
    if payload.get("vars") and _is_framework(function):
        # Values of variables that the browser keeps: the portal has none.
        return False
    return all(_is_of(value, hints.get(name, Any)) for name, value in payload.items())


@cache
def _declared(function: Callable[..., Any]) -> tuple[dict[str, bool], dict[str, Any]]:
    """The names of the handler's arguments and whether each is needed; the types of those that declare one."""
    _state, *arguments = signature(function).parameters.values()
    return {a.name: a.default is a.empty for a in arguments}, get_type_hints(function)


def _is_of(value: Any, kind: Any) -> bool:
    if not _is_whole_form(value):
        return False
    if kind is Any:
        return True
    origin = get_origin(kind)
    if origin in (Union, UnionType):
        return any(_is_of(value, one) for one in get_args(kind))
    if isinstance(value, str) and kind in (int, float):
        # Fields send text; Reflex makes the number of it.
        return value.isascii() and value.removeprefix("-").isdecimal() and len(value) <= 18 and abs(int(value)) < _MOST
    if kind is int:
        # Python takes True for 1; PostgreSQL does not.
        return type(value) is int and abs(value) < _MOST
    kind = origin or kind
    return kind not in _PLAIN or isinstance(value, (int, float) if kind is float else kind)


def _is_whole_form(value: Any) -> bool:
    """False for a form whose fields aren't pairs of name and value; Reflex fails at those."""
    fields = value.get(FORM_DATA_ENTRIES_KEY, []) if isinstance(value, dict) else []
    return isinstance(fields, list) and all(
        isinstance(field, list) and len(field) == 2 and isinstance(field[0], str) for field in fields
    )


async def may_take(app: rx.App, tab: str, cookie_header: str, origin: Origin) -> bool:
    """Whether a socket with this cookie may go on with the tab's state: its own session's, or nobody's."""
    state = await app.state_manager.get_state(BaseStateToken(ident=tab, cls=SessionState))
    owner = (await state.get_state(SessionState))._owner
    # Asked in any case: where the database does not answer, no page could be shown.
    found = await db.glance(sessions.identify, sessions.token_in(cookie_header), origin)
    return owner in {"", _ANYONE, _owner(found)}


async def _bound(state: BaseState, event_name: str, found: Actor) -> bool:
    """Whether the client's state belongs to this session. The client's own token is no credential:

    a state that another session filled is emptied before anything of it can be sent.
    """
    owner = _owner(found)
    binding = await state.get_state(SessionState)
    if binding._owner == owner:
        return True
    known_owner = binding._owner
    if known_owner:
        state._get_root_state().reset()
        binding = await state.get_state(SessionState)
    binding._owner = owner
    return not known_owner or event_name.rpartition(".")[2] in _HYDRATES


def _owner(found: Actor) -> str:
    """Whose the state may be. At an untrusted address nothing of the session's own is left to see."""
    return _ANYONE if found.kind == ActorKind.ELSEWHERE else found.session_hash or _ANYONE


def _to_sign_in(state: BaseState, found: Actor) -> list[Event]:
    url = state.router.url
    if found.kind == ActorKind.ELSEWHERE:
        return Event.from_event_type([rx.redirect(ACCESS_DENIED, replace=True)])
    here = f"{url.path or '/'}?{url.query}".rstrip("?")
    target = "/login" if here == "/" or url.path == "/login" else f"/login?next={quote(here, safe='')}"
    return Event.from_event_type([rx.redirect(target, replace=True)])


async def _tell(state: BaseState, sentence: str) -> StateUpdate:
    """Show the refusal on the page; nothing else of the state changes."""
    (await state.get_state(SessionState)).denied = sentence
    return await _changes(state)


async def _ask(state: BaseState, event: Event, found: Actor) -> StateUpdate:
    """Let the event wait, and ask on the page whether it is still the person who signed in."""
    waiting = await state.get_state(WaitingState)
    waiting._hold(event)
    waiting.asked, waiting.has_password = True, found.has_password
    waiting.has_passkey = await db.look(passkeys.has_any, found.user_id)
    return await _changes(state)


async def _changes(state: BaseState) -> StateUpdate:
    root = state._get_root_state()
    delta = await root._get_resolved_delta()
    root._clean()
    return StateUpdate(delta=delta)
