"""Taking a partner's access to one of its accounts away, and giving it back.

From the next event on nobody and nothing of the partner opens the account (`backups.repository.visible`,
`accounts.repository.openable`), only the customer's own users do. It stays on the partner's dashboard and bills.
"""

from sqlmodel import Session, col, select

from portal_app.audit.service import record
from portal_app.audit.tags import Activity
from portal_app.auth.actor import Actor
from portal_app.errors import Conflict, NotFound
from portal_app.jobs import queue
from portal_app.mail import service as mail
from portal_app.models import Account, Job, Partner, User, UserKind
from portal_app.operator import letters, repository
from portal_app.operator.partners import KIND, checked_reason, find, tell_partner
from portal_app.operator.query import AccountsQuery
from portal_app.operator.rows import AccountAccessPage

NO_ACCOUNT = "There is no such account."
_RECOVERIES = ("restore", "export")


def list_page(session: Session, actor: Actor, query: AccountsQuery) -> AccountAccessPage:
    """A page of a partner's accounts, and who may open each. Raises Denied, NotFound."""
    partner = find(session, actor, query.code)
    return repository.account_access(session, partner.id or 0, query)


def take(session: Session, actor: Actor, code: str, account_id: int, reason: str) -> str:
    """The partner opens the account no more; what its people are just bringing back of it stops. Gives the name.

    Raises Denied, NotFound, Conflict, Invalid (reason).
    """
    partner, account, reason = _locked(session, actor, code, account_id, reason)
    if not account.partner_access:
        raise Conflict("The partner's access was taken away already.")
    account.partner_access = False
    _note(session, actor, account, f"Access of {partner.code} to the account taken away: {reason}")
    _stop_recoveries(session, account_id)
    tell_partner(session, partner, letters.taken_from_partner(account.name, account.email, reason))
    _tell_customer(session, account, letters.taken_for_customer(account.name, partner.name))
    return account.name


def give_back(session: Session, actor: Actor, code: str, account_id: int, reason: str) -> str:
    """The partner may open the account again. Gives the name. Raises Denied, NotFound, Conflict, Invalid (reason)."""
    partner, account, reason = _locked(session, actor, code, account_id, reason)
    if account.partner_access:
        raise Conflict("The partner can open this account.")
    account.partner_access = True
    _note(session, actor, account, f"Access of {partner.code} to the account given back: {reason}")
    tell_partner(session, partner, letters.given_to_partner(account.name, account.email, reason))
    _tell_customer(session, account, letters.given_for_customer(account.name, partner.name))
    return account.name


def _locked(session: Session, actor: Actor, code: str, account_id: int, reason: str) -> tuple[Partner, Account, str]:
    partner, reason = find(session, actor, code), checked_reason(reason)
    mine = (col(Account.id) == account_id, col(Account.partner_id) == partner.id)
    wanted = select(Account).where(*mine).with_for_update(key_share=True)
    account = session.scalars(wanted.execution_options(populate_existing=True)).first()
    if account is None:
        raise NotFound(NO_ACCOUNT)
    return partner, account, reason


def _note(session: Session, actor: Actor, account: Account, words: str) -> None:
    session.add(account)
    session.flush()
    about = (account.id, account.name)
    for partner_id in (None, account.partner_id):
        record(session, actor, Activity.PERMISSIONS_CHANGED, words, account=about, partner_id=partner_id)


def _stop_recoveries(session: Session, account_id: int) -> None:
    """Stop the restores and exports that wait or run, but for those of the customer's own users."""
    own = select(User.id).where(col(User.account_id) == account_id, col(User.kind) == UserKind.CUSTOMER)
    users = set(session.scalars(own))
    mine = (col(Job.account_id) == account_id, col(Job.kind).in_(_RECOVERIES), col(Job.state).not_in(queue.ENDED))
    for job in session.scalars(select(Job).where(*mine)).all():
        if job.made_by_id not in users:
            queue.cancel(session, job.id or 0)


def _tell_customer(session: Session, account: Account, letter: letters.Letter) -> None:
    # Not under the partner's name: what is written to the customer alone is not for its outbox.
    to = repository.customer_emails(session, account)
    mail.queue_all(session, [mail.NewMail(email, letter, KIND) for email in to])
