"""Totals, change numbers and the search index, kept by triggers: no code path can forget them."""

from alembic import op

revision = "20261123b"
down_revision = "20261123a"
branch_labels = None
depends_on = None

_ADD = """
INSERT INTO account_total (partner_id, status, backup_status, billing_status, accounts, amount_minor, size_bytes)
VALUES (NEW.partner_id, NEW.status, NEW.backup_status, NEW.billing_status, 1, NEW.amount_minor, NEW.size_bytes)
ON CONFLICT (partner_id, status, backup_status, billing_status) DO UPDATE SET
    accounts = account_total.accounts + 1,
    amount_minor = account_total.amount_minor + excluded.amount_minor,
    size_bytes = account_total.size_bytes + excluded.size_bytes;
"""
_TAKE = """
UPDATE account_total SET
    accounts = accounts - 1, amount_minor = amount_minor - OLD.amount_minor, size_bytes = size_bytes - OLD.size_bytes
WHERE partner_id = OLD.partner_id AND status = OLD.status
    AND backup_status = OLD.backup_status AND billing_status = OLD.billing_status;
"""
_CHANGED = """
INSERT INTO partner_change (partner_id, number) VALUES ({row}.partner_id, 1)
ON CONFLICT (partner_id) DO UPDATE SET number = partner_change.number + 1;
"""
_INDEX = "INSERT INTO account_search (rowid, name_key, email_key) VALUES (NEW.id, NEW.name_key, NEW.email_key);"
_UNINDEX = """
INSERT INTO account_search (account_search, rowid, name_key, email_key)
VALUES ('delete', OLD.id, OLD.name_key, OLD.email_key);
"""

_SQLITE = {
    "account_added": ("AFTER INSERT ON account", _ADD + _CHANGED.format(row="NEW") + _INDEX),
    "account_removed": ("AFTER DELETE ON account", _TAKE + _CHANGED.format(row="OLD") + _UNINDEX),
    "account_changed": ("AFTER UPDATE ON account", _CHANGED.format(row="NEW")),
    "account_moved": (
        "AFTER UPDATE OF partner_id, status, backup_status, billing_status, amount_minor, size_bytes ON account",
        _TAKE + _ADD,
    ),
    "account_renamed": ("AFTER UPDATE OF name_key, email_key ON account", _UNINDEX + _INDEX),
}

_POSTGRESQL = f"""
CREATE FUNCTION account_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- The partner's one row first: two changes that move accounts in opposite directions would else
    -- take the totals' rows in opposite orders and block each other.
    IF TG_OP = 'DELETE' THEN {_CHANGED.format(row="OLD")} ELSE {_CHANGED.format(row="NEW")} END IF;
    IF TG_OP <> 'INSERT' THEN {_TAKE} END IF;
    IF TG_OP <> 'DELETE' THEN {_ADD} END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER account_kept AFTER INSERT OR UPDATE OR DELETE ON account FOR EACH ROW EXECUTE FUNCTION account_kept();
"""


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(_POSTGRESQL)
        return
    op.execute(
        "CREATE VIRTUAL TABLE account_search USING fts5"
        "(name_key, email_key, content='account', content_rowid='id', tokenize='trigram')"
    )
    for name, (moment, body) in _SQLITE.items():
        op.execute(f"CREATE TRIGGER {name} {moment} BEGIN {body} END")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER account_kept ON account")
        op.execute("DROP FUNCTION account_kept()")
        return
    for name in _SQLITE:
        op.execute(f"DROP TRIGGER {name}")
    op.execute("DROP TABLE account_search")
