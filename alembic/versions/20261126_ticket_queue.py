"""Tickets: what is searched, the operators' queue, files of forms not sent yet; open pages follow what happens."""

import sqlalchemy as sa

from alembic import op

revision = "20261126_ticket_queue"
down_revision = "20261126_operator_lists"
branch_labels = None
depends_on = None

_CHANGED = """
INSERT INTO partner_change (partner_id, number) VALUES (NEW.partner_id, 1)
ON CONFLICT (partner_id) DO UPDATE SET number = partner_change.number + 1;
"""
# The function of the billing's tables does for any table with a partner.
_CONSTRAINT = """
CREATE CONSTRAINT TRIGGER ticket_told AFTER INSERT OR UPDATE ON ticket
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION billing_changed();
"""
_MOMENTS = ("insert", "update")


def upgrade() -> None:
    op.add_column("ticket", sa.Column("search_key", sa.String(length=1600), server_default="", nullable=False))
    op.add_column("ticket", sa.Column("queue_place", sa.Integer(), server_default="0", nullable=False))
    op.add_column("ticket", sa.Column("notes", sa.Integer(), server_default="0", nullable=False))
    op.drop_index(op.f("ix_ticket_opened_by_id"), "ticket")
    op.create_index(op.f("ix_ticket_opened_by_id_changed_at_id"), "ticket", ["opened_by_id", "changed_at", "id"])
    op.create_index(op.f("ix_ticket_queue_place_changed_at_id"), "ticket", ["queue_place", "changed_at", "id"])
    op.drop_index(op.f("ix_ticket_state_changed_at_id"), "ticket")
    op.create_index(
        op.f("ix_ticket_state_queue_place_changed_at_id"), "ticket", ["state", "queue_place", "changed_at", "id"]
    )
    op.create_table(
        "ticket_upload",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["portal_user.id"], name=op.f("fk_ticket_upload_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_upload")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_ticket_upload_made_at"), "ticket_upload", ["made_at"])
    op.create_index(op.f("ix_ticket_upload_user_id_ticket_id_id"), "ticket_upload", ["user_id", "ticket_id", "id"])
    if op.get_bind().dialect.name == "postgresql":
        op.execute(_CONSTRAINT)
        return
    for moment in _MOMENTS:
        op.execute(f"CREATE TRIGGER ticket_told_{moment} AFTER {moment} ON ticket BEGIN {_CHANGED} END")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER ticket_told ON ticket")
    else:
        for moment in _MOMENTS:
            op.execute(f"DROP TRIGGER ticket_told_{moment}")
    op.drop_table("ticket_upload")
    op.drop_index(op.f("ix_ticket_state_queue_place_changed_at_id"), "ticket")
    op.create_index(op.f("ix_ticket_state_changed_at_id"), "ticket", ["state", "changed_at", "id"])
    op.drop_index(op.f("ix_ticket_queue_place_changed_at_id"), "ticket")
    op.drop_index(op.f("ix_ticket_opened_by_id_changed_at_id"), "ticket")
    op.create_index(op.f("ix_ticket_opened_by_id"), "ticket", ["opened_by_id"])
    op.drop_column("ticket", "notes")
    op.drop_column("ticket", "queue_place")
    op.drop_column("ticket", "search_key")
