"""What each area's handlers may ask of their callers, said by hand: independent of what the handlers declare.

A new handler of a known area that asks for one of its area's permissions is known already. Anything else that a handler
may declare, a new area or a new open door, is a decision: it belongs into these tables.
"""

from typing import Any

from portal_app.auth import guard

SIGNED_IN, OPERATORS, PARTNERS = "signed in", "operators", "partners"
# Area -> what its handlers ask for. Several by " or ".
AREAS: dict[str, frozenset[str]] = {
    "account_settings": frozenset({"accounts:change", "accounts:change or accounts:remove", "accounts:remove"}),
    "accounts": frozenset({"accounts:add"}),
    "api_tokens": frozenset({"api:manage"}),
    "audit": frozenset({"audit:view", OPERATORS}),
    "backups": frozenset(
        {
            "accounts:access",
            "backups:run",
            "data:export",
            "data:export or data:restore",
            "data:restore",
            "tasks:delete",
            "tasks:manage",
        }
    ),
    "billing": frozenset({"billing:view", "bills:pay", "payment:manage", "subscribe:accounts"}),
    "content": frozenset({OPERATORS}),
    "customer_users": frozenset({"customer-users:manage"}),
    "dashboard": frozenset({"dashboard:view", "subscribe:accounts", "trials:delete", "usage:export"}),
    "ip_restrictions": frozenset({"security:manage"}),
    "learning": frozenset({PARTNERS}),
    "mail": frozenset(),
    "news": frozenset({PARTNERS}),
    "notifications": frozenset({"notifications:manage"}),
    "operator": frozenset({OPERATORS}),
    "partner_settings": frozenset({"account:manage"}),
    "partner_zone": frozenset({PARTNERS}),
    "portal_import": frozenset({"accounts:add"}),
    "security": frozenset({SIGNED_IN, "security:manage"}),
    "shell": frozenset({"billing:view or dashboard:view or users:manage", SIGNED_IN}),
    "sign_in": frozenset(),
    "tickets": frozenset({OPERATORS, "tickets:open"}),
    "support": frozenset({PARTNERS}),
    "users": frozenset({"users:manage"}),
}
# Open to everybody, each for its reason.
OPEN_HANDLERS: dict[str, str] = {
    "access_denied_state.load": "who comes from elsewhere must see why",
    "notice_state.dismiss": "closes what the tab itself shows",
    "notice_state.tell": "the portal's own errors reach people who are not signed in",
    "forgot_state.load": "who forgot the password can't sign in",
    "forgot_state.submit": "who forgot the password can't sign in",
    "invitation_state.accept": "who is invited can't sign in yet",
    "invitation_state.load": "who is invited can't sign in yet",
    "invitation_state.weigh_password": "who is invited can't sign in yet",
    "outbox_state.load": "only a demo's mail, which is for everybody to read",
    "outbox_state.resize": "the same",
    "reset_state.load": "opened by a link that is good once",
    "reset_state.submit": "the same",
    "sign_in_state.ask_passkey": "the way in: a question that only a passkey answers",
    "sign_in_state.change": "a step of the way in, behind the one before",
    "sign_in_state.enable": "the same",
    "sign_in_state.go_on": "the same",
    "sign_in_state.load": "the way in",
    "sign_in_state.other_code": "a step of the way in",
    "sign_in_state.start_over": "the same",
    "sign_in_state.submit": "the way in",
    "sign_in_state.take_passkey": "the way in, or a step of it",
    "sign_in_state.verify": "a step of the way in, behind the password",
}
# HTTP: address -> what it asks for; the reason where it is open.
ROUTES: dict[str, str] = {
    "/": "public: the page is the same for everyone, rows come only for who may see them",
    "/accounts/import": "accounts:add",
    "/accounts/import/faults.csv": "accounts:add",
    "/accounts/import/template.csv": "accounts:add",
    "/api/docs": "public: describes the API",
    "/api/openapi.json": "public: describes the API",
    "/api/v1/accounts": "permission accounts:add",
    "/api/v1/accounts/{account_id}": "permission accounts:access",
    "/api/v1/accounts/{account_id}/subscribe": "permission subscribe:accounts",
    "/api/v1/accounts/{account_id}/tasks": "permission tasks:manage",
    "/api/v1/audit": "permission audit:view",
    "/api/v1/backup-runs": "permission backups:run",
    "/api/v1/bills": "permission billing:view",
    "/api/v1/bills/{number}": "permission billing:view",
    "/api/v1/bills/{number}.csv": "permission billing:view",
    "/api/v1/bills/{number}.pdf": "permission billing:view",
    "/api/v1/bills/{number}/lines": "permission billing:view",
    "/api/v1/data-centers": "permission accounts:add",
    "/api/v1/runs": "permission accounts:access",
    "/api/v1/tasks/{task_id}": "permission tasks:delete",
    "/api/v1/tasks/{task_id}/entities": "permission accounts:access",
    "/api/v1/tasks/{task_id}/run": "permission backups:run",
    "/api/v1/users": "permission users:manage",
    "/auth/oidc/{provider}/callback": "public: the provider sends people back who are not signed in yet",
    "/auth/oidc/{provider}/start": "public: the way in",
    "/auth/session": "public: changes a ticket into a session",
    "/auth/sign-out": "public: ends the caller's own session",
    "/billing/bills/{number}": "billing:view",
    "/billing/bills/{number}.{ending}": "billing:view",
    "/billing/cards/return": "payment:manage",
    "/billing/leave": "bills:pay or payment:manage",
    "/billing/return/{key}": "public: the processor sends people back, whose session may have ended",
    "/brand/{file}": "public: the logo stands on the sign-in page, too",
    "/compat/v1/auth/partner": "public: asks for an API token itself",
    "/compat/v1/auth/refresh": "public: the same",
    "/compat/v1/partners": "permission dashboard:view",
    "/compat/v1/partners/bills": "permission billing:view",
    "/compat/v1/partners/resellers": "permission dashboard:view",
    "/compat/v1/partners/resellers/{partner_id}": "permission dashboard:view",
    "/compat/v1/partners/status": "permission accounts:access",
    "/compat/v1/partners/tasks": "permission accounts:access",
    "/compat/v1/partners/users": "permission dashboard:view",
    "/compat/v2/auth/partner": "public: asks for an API token itself",
    "/compat/v2/resellers/accounts": "permission dashboard:view",
    "/compat/v2/resellers/accounts/backup-statuses": "permission accounts:access",
    "/compat/v2/resellers/accounts/backup-tasks": "permission accounts:access",
    "/compat/v2/resellers/bills": "permission billing:view",
    "/compat/v2/resellers/details": "permission dashboard:view",
    "/content/{kind}/{slug}/{file}": PARTNERS,
    "/files/{number}": SIGNED_IN,
    "/healthz": "public: a supervisor asks it",
    "/metrics": "public: asks for this machine or a token itself",
    "/operator/audit/export.csv": OPERATORS,
    "/learning/certificates/{number}.pdf": PARTNERS,
    "/operator/bills/{number}.{ending}": OPERATORS,
    "/operator/tickets/files": OPERATORS,
    "/operator/tickets/files/{number}": OPERATORS,
    "/operator/content/files/{page}": OPERATORS,
    "/readyz": "public: a proxy asks it",
    "/sandbox-processor/pay/{ident}": "public: a page that only its address opens",
    "/sandbox-processor/v1/cards/{token}": "public: the sandbox's API has a secret of its own",
    "/sandbox-processor/v1/charges": "public: the same",
    "/sandbox-processor/v1/orders/{key}": "public: the same",
    "/sandbox-processor/v1/pages": "public: the same",
    "/sandbox-processor/v1/pages/{ident}": "public: the same",
    "/sandbox-processor/v1/pages/{ident}/close": "public: the same",
    "/sandbox-processor/v1/refunds": "public: the same",
    "/security-audit/export.csv": "audit:view",
    "/support/tickets/files": "tickets:open",
    "/support/tickets/files/{number}": "tickets:open",
    "/webhooks/{gateway}": "public: each message is signed",
}


def unknown_handlers(handlers: dict[str, Any]) -> list[str]:
    """Handlers that the tables don't account for, with what they declare."""
    return sorted(f"{name}: {guard.policy_of(name)}" for name in handlers if not _is_known(name, handlers[name]))


def _is_known(name: str, function: Any) -> bool:
    declared = str(guard.policy_of(name))
    if declared == "public":
        return name.rpartition("____")[2] in OPEN_HANDLERS
    return declared in AREAS.get(function.__module__.split(".")[1], frozenset())
