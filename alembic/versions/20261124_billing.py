"""Prices, subscriptions, bills, cards and payments."""

import sqlalchemy as sa

from alembic import op

revision = "20261124_billing"
down_revision = "20261124_passkeys"
branch_labels = None
depends_on = None

# A day of an account is billed once: periods of one account never overlap, whoever writes them.
_OVERLAPS = """
    SELECT 1 FROM billed_period
    WHERE account_id = NEW.account_id AND starts_on < NEW.ends_on AND ends_on > NEW.starts_on
"""
_SQLITE = f"""
CREATE TRIGGER billed_period_once BEFORE INSERT ON billed_period WHEN EXISTS ({_OVERLAPS})
BEGIN SELECT RAISE(ABORT, 'billed already'); END
"""
_POSTGRESQL = f"""
CREATE FUNCTION billed_period_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Two bills that are written at once take their turns here.
    PERFORM pg_advisory_xact_lock(hashtext('billed_period'), NEW.account_id);
    IF EXISTS ({_OVERLAPS}) THEN
        RAISE EXCEPTION 'billed already' USING ERRCODE = 'exclusion_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER billed_period_once BEFORE INSERT ON billed_period
    FOR EACH ROW EXECUTE FUNCTION billed_period_once();
"""


def upgrade() -> None:
    op.create_table(
        "counter",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_counter")),
    )
    op.create_table(
        "processor_event",
        sa.Column("gateway", sa.String(length=20), nullable=False),
        sa.Column("event_id", sa.String(length=120), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("gateway", "event_id", name=op.f("pk_processor_event")),
    )
    op.create_table(
        "bill",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("once", sa.String(length=120), nullable=False),
        sa.Column("partner_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("credits_id", sa.Integer(), nullable=True),
        sa.Column("plan", sa.String(), nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("net_minor", sa.BigInteger(), nullable=False),
        sa.Column("tax_minor", sa.BigInteger(), nullable=False),
        sa.Column("total_minor", sa.BigInteger(), nullable=False),
        sa.Column("settled_minor", sa.BigInteger(), nullable=False),
        sa.Column("tax_bp", sa.Integer(), nullable=False),
        sa.Column("reverse_charge", sa.Boolean(), nullable=False),
        sa.Column("charge_refused", sa.Boolean(), nullable=False),
        sa.Column("next_charge_on", sa.Date(), nullable=True),
        sa.Column("buyer", sa.JSON(), nullable=False),
        sa.Column("seller", sa.JSON(), nullable=False),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(kind = 'credit_note') = (credits_id IS NOT NULL)", name=op.f("ck_bill_credits_a_bill")),
        sa.CheckConstraint("(kind = 'credit_note') = (total_minor < 0)", name=op.f("ck_bill_sign_of_its_kind")),
        sa.CheckConstraint("kind IN ('consolidated', 'account', 'credit_note')", name=op.f("ck_bill_kind_known")),
        sa.CheckConstraint("method IN ('card', 'invoice')", name=op.f("ck_bill_method_known")),
        sa.CheckConstraint("plan IN ('monthly', 'annual')", name=op.f("ck_bill_plan_known")),
        sa.CheckConstraint(
            "settled_minor BETWEEN 0 AND total_minor OR kind = 'credit_note'", name=op.f("ck_bill_settled_in_range")
        ),
        sa.CheckConstraint("state <> 'paid' OR settled_minor = total_minor", name=op.f("ck_bill_paid_is_settled")),
        sa.CheckConstraint("state IN ('open', 'paid', 'credited')", name=op.f("ck_bill_state_known")),
        sa.CheckConstraint("net_minor + tax_minor = total_minor", name=op.f("ck_bill_adds_up")),
        sa.ForeignKeyConstraint(["credits_id"], ["bill.id"], name=op.f("fk_bill_credits_id")),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.id"], name=op.f("fk_bill_partner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bill")),
        sa.UniqueConstraint("number", name=op.f("uq_bill_number")),
        sa.UniqueConstraint("once", name=op.f("uq_bill_once")),
    )
    op.create_index(op.f("ix_bill_account_id_issued_on"), "bill", ["account_id", "issued_on"], unique=False)
    op.create_index(op.f("ix_bill_credits_id"), "bill", ["credits_id"], unique=False)
    op.create_index(op.f("ix_bill_next_charge_on"), "bill", ["next_charge_on"], unique=False)
    op.create_index(op.f("ix_bill_partner_id_issued_on"), "bill", ["partner_id", "issued_on"], unique=False)
    op.create_index(
        op.f("ix_bill_partner_id_state_issued_on_id"), "bill", ["partner_id", "state", "issued_on", "id"], unique=False
    )
    op.create_index(op.f("ix_bill_state_due_on"), "bill", ["state", "due_on"], unique=False)
    op.create_table(
        "billing_profile",
        sa.Column("partner_id", sa.Integer(), nullable=False),
        sa.Column("method", sa.String(), nullable=True),
        sa.Column("payment_day", sa.Integer(), nullable=False),
        sa.Column("annual_together", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("title", sa.String(length=20), nullable=False),
        sa.Column("first_name", sa.String(length=80), nullable=False),
        sa.Column("last_name", sa.String(length=80), nullable=False),
        sa.Column("company", sa.String(length=120), nullable=False),
        sa.Column("tax_id", sa.String(length=40), nullable=False),
        sa.Column("address", sa.String(length=500), nullable=False),
        sa.Column("zip", sa.String(length=20), nullable=False),
        sa.Column("city", sa.String(length=80), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("phone", sa.String(length=40), nullable=False),
        sa.Column("delivery", sa.String(), nullable=False),
        sa.Column("customer_ref", sa.String(length=120), nullable=False),
        sa.Column("billed_through", sa.Date(), nullable=True),
        sa.CheckConstraint("delivery IN ('link', 'attachment')", name=op.f("ck_billing_profile_delivery_known")),
        sa.CheckConstraint("method IN ('card', 'invoice')", name=op.f("ck_billing_profile_method_known")),
        sa.CheckConstraint("payment_day BETWEEN 1 AND 31", name=op.f("ck_billing_profile_payment_day_of_a_month")),
        sa.ForeignKeyConstraint(
            ["partner_id"], ["partner.id"], name=op.f("fk_billing_profile_partner_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("partner_id", name=op.f("pk_billing_profile")),
    )
    op.create_table(
        "card",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("partner_id", sa.Integer(), nullable=False),
        sa.Column("gateway", sa.String(length=20), nullable=False),
        sa.Column("token", sa.String(length=120), nullable=False),
        sa.Column("brand", sa.String(length=20), nullable=False),
        sa.Column("last4", sa.String(length=4), nullable=False),
        sa.Column("expiry_month", sa.Integer(), nullable=False),
        sa.Column("expiry_year", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("expiry_month BETWEEN 1 AND 12", name=op.f("ck_card_month_of_a_year")),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.id"], name=op.f("fk_card_partner_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_card")),
        sa.UniqueConstraint("token", name=op.f("uq_card_token")),
    )
    op.create_index(op.f("ix_card_partner_id"), "card", ["partner_id"], unique=False)
    op.create_index(
        "uq_card_active",
        "card",
        ["partner_id"],
        unique=True,
        sqlite_where=sa.text("active"),
        postgresql_where=sa.text("active"),
    )
    op.create_table(
        "price_book",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("partner_id", sa.Integer(), nullable=True),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("monthly_minimum_minor", sa.BigInteger(), nullable=False),
        sa.Column("annual_discount_bp", sa.Integer(), nullable=False),
        sa.Column("tax_bp", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("annual_discount_bp BETWEEN 0 AND 10000", name=op.f("ck_price_book_discount_in_range")),
        sa.CheckConstraint("monthly_minimum_minor >= 0", name=op.f("ck_price_book_minimum_not_negative")),
        sa.CheckConstraint("tax_bp BETWEEN 0 AND 10000", name=op.f("ck_price_book_tax_in_range")),
        sa.ForeignKeyConstraint(
            ["partner_id"], ["partner.id"], name=op.f("fk_price_book_partner_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price_book")),
    )
    op.create_index(
        "uq_price_book_common",
        "price_book",
        ["currency", "valid_from"],
        unique=True,
        sqlite_where=sa.text("partner_id IS NULL"),
        postgresql_where=sa.text("partner_id IS NULL"),
    )
    op.create_index(
        "uq_price_book_own",
        "price_book",
        ["partner_id", "valid_from"],
        unique=True,
        sqlite_where=sa.text("partner_id IS NOT NULL"),
        postgresql_where=sa.text("partner_id IS NOT NULL"),
    )
    op.create_table(
        "bill_line",
        sa.Column("bill_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("account_name", sa.String(length=120), nullable=False),
        sa.Column("service", sa.String(length=40), nullable=False),
        sa.Column("description", sa.String(length=200), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("quantity_milli", sa.BigInteger(), nullable=False),
        sa.Column("unit", sa.String(length=20), nullable=False),
        sa.Column("unit_minor", sa.BigInteger(), nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("trace", sa.JSON(), nullable=False),
        sa.CheckConstraint("ends_on > starts_on", name=op.f("ck_bill_line_ends_after_start")),
        sa.ForeignKeyConstraint(["bill_id"], ["bill.id"], name=op.f("fk_bill_line_bill_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("bill_id", "position", name=op.f("pk_bill_line")),
    )
    op.create_index(op.f("ix_bill_line_account_id"), "bill_line", ["account_id"], unique=False)
    op.create_table(
        "bill_share",
        sa.Column("bill_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("account_name", sa.String(length=120), nullable=False),
        sa.Column("account_email", sa.String(length=254), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["bill_id"], ["bill.id"], name=op.f("fk_bill_share_bill_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("bill_id", "account_id", name=op.f("pk_bill_share")),
    )
    op.create_index(op.f("ix_bill_share_account_id_bill_id"), "bill_share", ["account_id", "bill_id"], unique=False)
    op.create_table(
        "billed_period",
        sa.Column("account_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("bill_id", sa.Integer(), nullable=False),
        sa.CheckConstraint("ends_on > starts_on", name=op.f("ck_billed_period_ends_after_start")),
        sa.ForeignKeyConstraint(["bill_id"], ["bill.id"], name=op.f("fk_billed_period_bill_id")),
        sa.PrimaryKeyConstraint("account_id", "starts_on", name=op.f("pk_billed_period")),
    )
    op.create_index(op.f("ix_billed_period_bill_id"), "billed_period", ["bill_id"], unique=False)
    op.create_table(
        "payment_attempt",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("bill_id", sa.Integer(), nullable=False),
        sa.Column("partner_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("gateway", sa.String(length=20), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("card_id", sa.Integer(), nullable=True),
        sa.Column("reference", sa.String(length=120), nullable=False),
        sa.Column("page", sa.String(length=600), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('charge', 'checkout', 'refund')", name=op.f("ck_payment_attempt_kind_known")),
        sa.CheckConstraint(
            "state IN ('started', 'unknown', 'succeeded', 'declined', 'canceled')",
            name=op.f("ck_payment_attempt_state_known"),
        ),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_payment_attempt_amount_positive")),
        sa.ForeignKeyConstraint(["bill_id"], ["bill.id"], name=op.f("fk_payment_attempt_bill_id")),
        sa.ForeignKeyConstraint(["card_id"], ["card.id"], name=op.f("fk_payment_attempt_card_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.id"], name=op.f("fk_payment_attempt_partner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_attempt")),
        sa.UniqueConstraint("key", name=op.f("uq_payment_attempt_key")),
    )
    op.create_index(op.f("ix_payment_attempt_bill_id"), "payment_attempt", ["bill_id"], unique=False)
    op.create_index(
        op.f("ix_payment_attempt_state_created_at"), "payment_attempt", ["state", "created_at"], unique=False
    )
    op.create_index(
        "uq_payment_attempt_open",
        "payment_attempt",
        ["bill_id"],
        unique=True,
        sqlite_where=sa.text("state IN ('started', 'unknown')"),
        postgresql_where=sa.text("state IN ('started', 'unknown')"),
    )
    op.create_index(
        "uq_payment_attempt_taken",
        "payment_attempt",
        ["bill_id"],
        unique=True,
        sqlite_where=sa.text("state = 'succeeded' AND kind <> 'refund'"),
        postgresql_where=sa.text("state = 'succeeded' AND kind <> 'refund'"),
    )
    op.create_table(
        "price",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("service", sa.String(length=40), nullable=False),
        sa.Column("basis", sa.String(), nullable=False),
        sa.CheckConstraint("basis IN ('unit', 'gb')", name=op.f("ck_price_basis_known")),
        sa.ForeignKeyConstraint(["book_id"], ["price_book.id"], name=op.f("fk_price_book_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price")),
        sa.UniqueConstraint("book_id", "service", name=op.f("uq_price_book_id_service")),
    )
    op.create_table(
        "subscription",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("partner_id", sa.Integer(), nullable=False),
        sa.Column("plan", sa.String(), nullable=False),
        sa.Column("started_on", sa.Date(), nullable=False),
        sa.Column("anchor_on", sa.Date(), nullable=False),
        sa.Column("covered_until", sa.Date(), nullable=False),
        sa.Column("acts_on", sa.Date(), nullable=True),
        sa.Column("next_plan", sa.String(), nullable=True),
        sa.Column("ends", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("excluded", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("seat_cap", sa.Integer(), nullable=True),
        sa.CheckConstraint("next_plan IN ('monthly', 'annual')", name=op.f("ck_subscription_next_plan_known")),
        sa.CheckConstraint("plan IN ('monthly', 'annual')", name=op.f("ck_subscription_plan_known")),
        sa.CheckConstraint(
            "covered_until >= started_on AND anchor_on >= started_on", name=op.f("ck_subscription_begins_first")
        ),
        sa.CheckConstraint("seat_cap > 0", name=op.f("ck_subscription_seat_cap_positive")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_subscription_account_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.id"], name=op.f("fk_subscription_partner_id")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_subscription")),
    )
    op.create_index(op.f("ix_subscription_partner_id_acts_on"), "subscription", ["partner_id", "acts_on"], unique=False)
    op.create_table(
        "payment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("bill_id", sa.Integer(), nullable=False),
        sa.Column("partner_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("attempt_id", sa.Integer(), nullable=True),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind IN ('card', 'paypal', 'bank', 'credit', 'refund')", name=op.f("ck_payment_kind_known")
        ),
        sa.ForeignKeyConstraint(["attempt_id"], ["payment_attempt.id"], name=op.f("fk_payment_attempt_id")),
        sa.ForeignKeyConstraint(["bill_id"], ["bill.id"], name=op.f("fk_payment_bill_id")),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.id"], name=op.f("fk_payment_partner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment")),
        sa.UniqueConstraint("attempt_id", name=op.f("uq_payment_attempt_id")),
    )
    op.create_index(op.f("ix_payment_bill_id"), "payment", ["bill_id"], unique=False)
    op.create_index(op.f("ix_payment_partner_id_received_on"), "payment", ["partner_id", "received_on"], unique=False)
    op.create_table(
        "price_tier",
        sa.Column("price_id", sa.Integer(), nullable=False),
        sa.Column("above", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("unit_minor", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("above >= 0 AND unit_minor >= 0", name=op.f("ck_price_tier_not_negative")),
        sa.ForeignKeyConstraint(["price_id"], ["price.id"], name=op.f("fk_price_tier_price_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("price_id", "above", name=op.f("pk_price_tier")),
    )
    postgresql = op.get_bind().dialect.name == "postgresql"
    op.execute(_POSTGRESQL if postgresql else _SQLITE)


def downgrade() -> None:
    for table in (
        "price_tier",
        "payment",
        "subscription",
        "price",
        "payment_attempt",
        "billed_period",
        "bill_share",
        "bill_line",
        "price_book",
        "card",
        "billing_profile",
        "bill",
        "processor_event",
        "counter",
    ):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION billed_period_once()")
