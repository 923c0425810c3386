"""The first schema: every table of the journal."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make every table; those that others refer to come first."""
    _decisions()
    _equity()
    _events()
    _incidents()
    _lease()
    _meta()
    _operator_requests()
    _probes()
    _reconciliations()
    _refusals()
    _trades()
    _fills()
    _orders()
    _stop_moves()


def downgrade() -> None:
    """Take them all away."""
    op.drop_table("stop_moves")
    op.drop_table("orders")
    op.drop_table("fills")
    op.drop_table("trades")
    op.drop_table("refusals")
    op.drop_table("reconciliations")
    op.drop_table("probes")
    op.drop_table("operator_requests")
    op.drop_table("meta")
    op.drop_table("lease")
    op.drop_table("incidents")
    op.drop_table("events")
    op.drop_table("equity")
    op.drop_table("decisions")


def _serial() -> sa.types.TypeEngine[int]:
    # SQLite counts by itself only in a column of type INTEGER.
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _decisions() -> None:
    op.create_table(
        "decisions",
        sa.Column("seq", _serial(), nullable=False),
        sa.Column("symbol", sa.Text()),
        sa.Column("decision_id", sa.Text()),
        sa.Column("timestamp_ms", sa.BigInteger()),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("raw", sa.Text(), nullable=False),
        sa.Column("content", sa.Text()),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_decisions")),
    )
    op.create_index(
        op.f("ix_decisions_symbol_outcome_timestamp_ms"),
        "decisions",
        ["symbol", "outcome", "timestamp_ms"],
    )


def _equity() -> None:
    op.create_table(
        "equity",
        sa.Column("seq", _serial(), nullable=False),
        sa.Column("equity", sa.Text(), nullable=False),
        sa.Column("wallet", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_equity")),
    )
    op.create_index(op.f("ix_equity_at_ms"), "equity", ["at_ms"])


def _events() -> None:
    op.create_table(
        "events",
        sa.Column("seq", _serial(), nullable=False),
        sa.Column("symbol", sa.Text()),
        sa.Column("trade_key", sa.Text()),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_events")),
    )
    op.create_index(op.f("ix_events_trade_key"), "events", ["trade_key"])


def _incidents() -> None:
    op.create_table(
        "incidents",
        sa.Column("seq", _serial(), nullable=False),
        sa.Column("symbol", sa.Text()),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_incidents")),
    )


def _lease() -> None:
    op.create_table(
        "lease",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("expires_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_lease")),
    )


def _meta() -> None:
    op.create_table(
        "meta",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_meta")),
    )


def _operator_requests() -> None:
    op.create_table(
        "operator_requests",
        sa.Column("seq", _serial(), nullable=False),
        sa.Column("symbol", sa.Text()),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("done_ms", sa.BigInteger()),
        sa.Column("outcome", sa.Text()),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_operator_requests")),
    )


def _probes() -> None:
    op.create_table(
        "probes",
        sa.Column("seq", _serial(), nullable=False),
        sa.Column("assumption", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("holds", sa.Boolean(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_probes")),
    )


def _reconciliations() -> None:
    op.create_table(
        "reconciliations",
        sa.Column("seq", _serial(), nullable=False),
        sa.Column("symbol", sa.Text()),
        sa.Column("found", sa.Text(), nullable=False),
        sa.Column("done", sa.Text(), nullable=False),
        sa.Column("duration_ms", sa.BigInteger(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_reconciliations")),
    )


def _refusals() -> None:
    op.create_table(
        "refusals",
        sa.Column("seq", _serial(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("decision_id", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_refusals")),
    )
    op.create_index(op.f("ix_refusals_decision_id"), "refusals", ["decision_id"])


def _trades() -> None:
    op.create_table(
        "trades",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("decision_id", sa.Text(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("planned_quantity", sa.Text(), nullable=False),
        sa.Column("limit_price", sa.Text(), nullable=False),
        sa.Column("initial_stop", sa.Text(), nullable=False),
        sa.Column("tp1", sa.Text(), nullable=False),
        sa.Column("tp2", sa.Text()),
        sa.Column("armed_ms", sa.BigInteger(), nullable=False),
        sa.Column("ratchet_price", sa.Text()),
        sa.Column("closing", sa.Text()),
        sa.Column("closed_by", sa.Text()),
        sa.Column("entry_over", sa.Text()),
        sa.Column("voided", sa.Text()),
        sa.Column("proven_flat_ms", sa.BigInteger()),
        sa.Column("ended_ms", sa.BigInteger()),
        sa.Column("quantity", sa.Text()),
        sa.Column("average_entry", sa.Text()),
        sa.Column("average_exit", sa.Text()),
        sa.Column("exit_reason", sa.Text()),
        sa.Column("realized_pnl", sa.Text()),
        sa.Column("fees", sa.Text()),
        sa.Column("r_gross", sa.Text()),
        sa.Column("r_net", sa.Text()),
        sa.Column("slippage", sa.Text()),
        sa.Column("stop_moves", sa.BigInteger()),
        sa.Column("first_fill_ms", sa.BigInteger()),
        sa.Column("last_fill_ms", sa.BigInteger()),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_trades")),
    )
    op.create_index(op.f("ix_trades_symbol_last_fill_ms"), "trades", ["symbol", "last_fill_ms"])
    op.create_index(
        "uq_trades_open_symbol",
        "trades",
        ["symbol"],
        unique=True,
        sqlite_where=sa.text("ended_ms IS NULL"),
        postgresql_where=sa.text("ended_ms IS NULL"),
    )


def _fills() -> None:
    op.create_table(
        "fills",
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("trade_id", sa.BigInteger(), nullable=False),
        sa.Column("trade_key", sa.Text(), nullable=False),
        sa.Column("order_client_id", sa.Text(), nullable=False),
        sa.Column("venue_order_id", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text()),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("price", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Text(), nullable=False),
        sa.Column("maker", sa.Boolean(), nullable=False),
        sa.Column("fee", sa.Text(), nullable=False),
        sa.Column("fee_asset", sa.Text(), nullable=False),
        sa.Column("realized_pnl", sa.Text(), nullable=False),
        sa.Column("time_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["trade_key"], ["trades.key"], name=op.f("fk_fills_trade_key")),
        sa.PrimaryKeyConstraint("symbol", "trade_id", name=op.f("pk_fills")),
    )
    op.create_index(op.f("ix_fills_trade_key"), "fills", ["trade_key"])


def _orders() -> None:
    op.create_table(
        "orders",
        sa.Column("seq", _serial(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("trade_key", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("attempt", sa.BigInteger(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Text()),
        sa.Column("price", sa.Text()),
        sa.Column("trigger_price", sa.Text()),
        sa.Column("time_in_force", sa.Text()),
        sa.Column("reduce_only", sa.Boolean(), nullable=False),
        sa.Column("close_position", sa.Boolean(), nullable=False),
        sa.Column("working_type", sa.Text()),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("journaled_ms", sa.BigInteger(), nullable=False),
        sa.Column("timestamp_ms", sa.BigInteger()),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("venue_id", sa.Text()),
        sa.Column("child_venue_id", sa.Text()),
        sa.Column("acked_ms", sa.BigInteger()),
        sa.Column("updated_ms", sa.BigInteger(), nullable=False),
        sa.Column("filled_quantity", sa.Text(), nullable=False),
        sa.Column("end_status", sa.Text()),
        sa.Column("end_code", sa.BigInteger()),
        sa.Column("end_reason", sa.Text()),
        sa.Column("ended_ms", sa.BigInteger()),
        sa.Column("triggered_ms", sa.BigInteger()),
        sa.Column("echo_error", sa.Text()),
        sa.Column("cancel_sent_ms", sa.BigInteger()),
        sa.Column("cancel_unknown_ms", sa.BigInteger()),
        sa.Column("misses", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["trade_key"], ["trades.key"], name=op.f("fk_orders_trade_key")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_orders")),
        sa.UniqueConstraint("client_id", name=op.f("uq_orders_client_id")),
        sa.UniqueConstraint(
            "trade_key", "role", "attempt", name=op.f("uq_orders_trade_key_role_attempt")
        ),
    )
    op.create_index(op.f("ix_orders_symbol_state"), "orders", ["symbol", "state"])


def _stop_moves() -> None:
    op.create_table(
        "stop_moves",
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("trade_key", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("trigger_price", sa.Text(), nullable=False),
        sa.Column("tightness", sa.BigInteger(), nullable=False),
        sa.Column("floor", sa.BigInteger()),
        sa.Column("asked_ms", sa.BigInteger(), nullable=False),
        sa.Column("confirmed_ms", sa.BigInteger()),
        sa.CheckConstraint("tightness >= floor", name=op.f("ck_stop_moves_ratchet")),
        sa.ForeignKeyConstraint(
            ["client_id"], ["orders.client_id"], name=op.f("fk_stop_moves_client_id")
        ),
        sa.ForeignKeyConstraint(
            ["trade_key"], ["trades.key"], name=op.f("fk_stop_moves_trade_key")
        ),
        sa.PrimaryKeyConstraint("client_id", name=op.f("pk_stop_moves")),
    )
    op.create_index(op.f("ix_stop_moves_trade_key"), "stop_moves", ["trade_key"])
