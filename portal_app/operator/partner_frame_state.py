"""What the pages of one partner share: whose they are, and that its opening is in both audits, once a visit."""

import reflex as rx
from reflex.state import BaseState

from portal_app import db
from portal_app.auth.actor import Actor
from portal_app.errors import NotFound
from portal_app.models import PartnerState
from portal_app.operator import partners
from portal_app.operator.query import PARTNER, partner_path
from portal_app.operator.rows import PartnerHead
from portal_app.shell.listing import assign
from portal_app.shell.state import enter, page_before

LONGEST_CODE = 20


class PartnerFrameState(rx.State):
    """The head of the partner that the address names."""

    missing: bool = False
    code: str = ""
    name: str = ""
    suspended: bool = False

    # The partner whose opening is in the audit.
    _opened: str = ""

    def _show(self, head: PartnerHead) -> None:
        suspended = head.state == PartnerState.SUSPENDED
        assign(self, {"missing": False, "code": head.code, "name": head.name, "suspended": suspended})


async def enter_partner(state: BaseState) -> tuple[Actor, str] | None:
    """Call first in the load of a partner's page: shows its frame; None when there is no such partner.

    Opening it is audited; going from tab to tab within it is not.
    """
    actor = await enter(state)
    before = await page_before(state)
    frame = await state.get_state(PartnerFrameState)
    code = code_in(state.router.url.path)
    within = frame._opened == code and f"{before.upper()}/".startswith(f"{partner_path(code).upper()}/")
    try:
        frame._show(await (db.look(partners.head, actor, code) if within else db.work(partners.opened, actor, code)))
    except NotFound:
        frame.reset()
        frame.missing = True
        return None
    frame._opened = code
    return actor, code


async def show_head(state: BaseState, actor: Actor, code: str) -> None:
    """Show the head anew after a change."""
    (await state.get_state(PartnerFrameState))._show(await db.look(partners.head, actor, code))


def code_in(path: str) -> str:
    """The partner's ID in the address of one of its pages."""
    return path.removeprefix(f"{PARTNER}/").partition("/")[0][:LONGEST_CODE].upper()
