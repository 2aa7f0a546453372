"""The application: every page, what happens to errors, the HTTP routes, what runs beside the requests."""

import gc
import logging
import sys
from collections import deque
from typing import cast

import reflex as rx
from reflex_base.event.context import EventContext
from starlette.applications import Starlette

from portal_app import endings, logs, traces
from portal_app.account_settings import page as customer_settings_page
from portal_app.account_settings import removed_page as account_removed_page
from portal_app.accounts import import_page as import_accounts_page
from portal_app.accounts import import_routes
from portal_app.accounts import new_page as new_account_page
from portal_app.api import app as api
from portal_app.api_tokens import page as api_tokens_page
from portal_app.audit import operator_page as operator_audit_page
from portal_app.audit import page as audit_page
from portal_app.audit import routes as audit_routes
from portal_app.auth import guard
from portal_app.auth import routes as auth_routes
from portal_app.backups import activity_page, backups_page, restore_page, task_form_page, task_page
from portal_app.backups import page as account_page
from portal_app.billing import account_page as account_bills_page
from portal_app.billing import details_page as payment_details_page
from portal_app.billing import document_routes, payment_routes
from portal_app.billing import history_page as billing_history_page
from portal_app.billing import page as billing_status_page
from portal_app.billing import result_page as payment_result_page
from portal_app.billing import unpaid_page as unpaid_bills_page
from portal_app.compat import app as compat
from portal_app.content import page as operator_content_page
from portal_app.content import routes as content_routes
from portal_app.content import upload_routes as content_upload_routes
from portal_app.customer_users import page as customer_users_page
from portal_app.dashboard import first_view
from portal_app.dashboard import page as dashboard_page
from portal_app.errors import PortalError
from portal_app.files import routes as file_routes
from portal_app.ip_restrictions import denied_page as access_denied_page
from portal_app.ip_restrictions import page as ip_restrictions_page
from portal_app.jobs import loop
from portal_app.learning import course_page, lesson_page
from portal_app.learning import page as learning_page
from portal_app.learning import routes as learning_routes
from portal_app.live import hub, keep_looking
from portal_app.mail import page as outbox_page
from portal_app.news import page as news_page
from portal_app.notifications import page as notifications_page
from portal_app.oidc import routes as oidc_routes
from portal_app.operator import bill_page as operator_bill_page
from portal_app.operator import finance_page as operator_finance_page
from portal_app.operator import jobs_page as operator_jobs_page
from portal_app.operator import mail_page as operator_mail_page
from portal_app.operator import new_partner_page as operator_new_partner_page
from portal_app.operator import page as operator_page
from portal_app.operator import partner_accounts_page as operator_partner_accounts_page
from portal_app.operator import partner_page as operator_partner_page
from portal_app.operator import people_page as operator_people_page
from portal_app.operator import places_page as operator_places_page
from portal_app.operator import prices_page as operator_prices_page
from portal_app.operator import receipts_page as operator_receipts_page
from portal_app.operator import reconcile_page as operator_reconcile_page
from portal_app.operator import runs_page as operator_runs_page
from portal_app.partner_settings import page as partner_settings_page
from portal_app.partner_zone import page as partner_zone_page
from portal_app.portal_import import page as import_portal_page
from portal_app.security import page as security_page
from portal_app.shell import (
    branding,
    closed,
    health,
    http,
    lean_tabs,
    moving,
    observed,
    outages,
    pages,
    recovery,
    sockets,
    tab_states,
)
from portal_app.shell.state import NoticeState
from portal_app.sign_in import forgot_page
from portal_app.sign_in import page as sign_in_page
from portal_app.support import article_page as support_article_page
from portal_app.support import page as support_page
from portal_app.tickets import desk_page as operator_ticket_page
from portal_app.tickets import new_page as new_ticket_page
from portal_app.tickets import page as tickets_page
from portal_app.tickets import queue_page as operator_tickets_page
from portal_app.tickets import routes as ticket_routes
from portal_app.tickets import ticket_page
from portal_app.users import editor_page as user_editor_page
from portal_app.users import invitation_page
from portal_app.users import page as users_page

PAGES = (
    invitation_page,
    audit_page,
    operator_audit_page,
    access_denied_page,
    account_bills_page,
    account_page,
    api_tokens_page,
    activity_page,
    backups_page,
    restore_page,
    task_form_page,
    task_page,
    billing_history_page,
    billing_status_page,
    payment_details_page,
    payment_result_page,
    unpaid_bills_page,
    account_removed_page,
    customer_settings_page,
    customer_users_page,
    dashboard_page,
    import_accounts_page,
    import_portal_page,
    course_page,
    learning_page,
    lesson_page,
    ip_restrictions_page,
    new_account_page,
    new_ticket_page,
    news_page,
    notifications_page,
    operator_bill_page,
    operator_content_page,
    operator_finance_page,
    operator_jobs_page,
    operator_mail_page,
    operator_new_partner_page,
    operator_page,
    operator_partner_accounts_page,
    operator_partner_page,
    operator_people_page,
    operator_places_page,
    operator_prices_page,
    operator_receipts_page,
    operator_reconcile_page,
    operator_runs_page,
    operator_ticket_page,
    operator_tickets_page,
    outbox_page,
    pages,
    partner_settings_page,
    partner_zone_page,
    forgot_page,
    security_page,
    sign_in_page,
    ticket_page,
    tickets_page,
    support_article_page,
    support_page,
    user_editor_page,
    users_page,
)
log = logging.getLogger("portal")
logs.hide_secrets()
observed.observe()
tab_states.use()
lean_tabs.use()
sockets.use()
# Events whose failure was told of: the last ones are enough, a telling follows its failure at once.
_told: deque[str] = deque(maxlen=1_000)


def on_error(exception: Exception) -> rx.event.EventSpec | None:
    """A refusal is shown as its sentence; anything else only as a reference to the log."""
    if isinstance(exception, PortalError):
        return _tell(exception.sentence)
    observed.resume()
    if outages.is_outage(exception):
        # The page knows already.
        log.error("another server did not answer: %s", type(exception).__name__)
        return None
    reference = traces.reference()
    log.error("unexpected error, reference %s", reference, exc_info=exception)
    return _tell(f"Something went wrong. Nothing was changed. Reference: {reference}")


def _tell(sentence: str) -> rx.event.EventSpec | None:
    # When the telling itself fails (the database is gone), telling of that would go on for ever.
    failed = EventContext.get()
    if failed.parent_txid in _told:
        return None
    _told.append(failed.txid)
    return cast(rx.event.EventSpec, NoticeState.tell("red", sentence))


def settle() -> None:
    """Leave what the start has made out of the search for garbage, which would stop everybody for a tenth of a second.

    Bulk work makes so many objects that such searches come every few seconds.
    """
    gc.collect()
    gc.freeze()


# A thread that computes (a bulk change, an import) is to give way to the events of others sooner than after 5 ms.
sys.setswitchinterval(0.0002)

app = rx.App(
    toaster=None,
    app_wraps={},
    stylesheets=["/portal.css"],
    html_lang="en",
    backend_exception_handler=on_error,
    api_transformer=[
        Starlette(
            routes=[
                *auth_routes.routes,
                *audit_routes.routes,
                *content_routes.routes,
                *content_upload_routes.routes,
                *document_routes.routes,
                *file_routes.routes,
                *oidc_routes.routes,
                *import_routes.routes,
                *learning_routes.routes,
                *payment_routes.routes,
                *ticket_routes.routes,
                *branding.routes,
                *health.routes,
                *first_view.routes,
                *api.routes,
                *compat.routes,
            ]
        ),
        http.outermost,
    ],
)
app.add_middleware(guard.Guard())
tabs = moving.Tabs(app)
endings.first.append(tabs.all_away)
http.harden(app, tabs, closed.Closed(app, tabs))
recovery.begin(tabs)
hub.is_connected = tabs.has
app.register_lifespan_task(settle)
app.register_lifespan_task(keep_looking)
app.register_lifespan_task(tabs.listen)
app.register_lifespan_task(recovery.keep)
for task in loop.with_server():
    app.register_lifespan_task(task)
