"""How a user signs in, a name to search for, and a number against lost updates."""

import sqlalchemy as sa

from alembic import op
from portal_app.text import fold

revision = "20261124_users"
down_revision = "20261124_outbox"
branch_labels = None
depends_on = None

_USERS = sa.table("portal_user", sa.column("id", sa.Integer), sa.column("name", sa.String), sa.column("name_key"))


def upgrade() -> None:
    # As a statement: alembic adds a column without its check, and the table must not be made anew (others refer to it).
    op.execute(
        "ALTER TABLE portal_user ADD COLUMN sign_in_type VARCHAR DEFAULT 'email' NOT NULL "
        "CONSTRAINT ck_portal_user_sign_in_type_known CHECK (sign_in_type IN ('azure', 'email', 'google'))"
    )
    op.add_column("portal_user", sa.Column("version", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("portal_user", sa.Column("name_key", sa.String(length=400), nullable=True))
    op.create_index(op.f("ix_portal_user_partner_id_email_key_id"), "portal_user", ["partner_id", "email_key", "id"])
    _fill_name_keys()


def _fill_name_keys() -> None:
    connection = op.get_bind()
    names = [{"number": number, "key": fold(name)} for number, name in connection.execute(sa.select(*_USERS.c[:2]))]
    if names:
        same = _USERS.c.id == sa.bindparam("number")
        connection.execute(sa.update(_USERS).where(same).values(name_key=sa.bindparam("key")), names)


def downgrade() -> None:
    op.drop_index(op.f("ix_portal_user_partner_id_email_key_id"), "portal_user")
    for name in ("name_key", "version", "sign_in_type"):
        op.drop_column("portal_user", name)
