"""What is kept: one metadata for every database (Q-1, Q-2).

Money is decimal text, so that nothing passes through a binary float and a person reads what was sent; times are
milliseconds of exchange time. The one comparison that the database makes itself, the ratchet of `stop_moves`, is
made on integers scaled by 10^10: SQLite compares text by letter and has no exact decimal, PostgreSQL must give
the same answer, and ten decimals hold every tick size while prices up to 922 million fit 64 bits.
"""

from decimal import Decimal

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

TIGHTNESS_DECIMALS = 10
RATCHET_CHECK = "ck_stop_moves_ratchet"
OPEN_TRADE_INDEX = "uq_trades_open_symbol"


class Money(TypeDecorator[Decimal]):
    """A `Decimal` kept as its plain decimal text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - the interface's
        """Write plain text, never with an exponent."""
        if value is None:
            return None
        if not value.is_finite():
            raise ValueError(f"{value} is not an amount")
        return format(value, "f")

    def process_result_value(self, value: str | None, dialect: Dialect) -> Decimal | None:  # noqa: ARG002 - the interface's
        """Read it back."""
        return None if value is None else Decimal(value)


NAMING = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
}
# SQLite counts by itself only in a column of type INTEGER.
Serial = BigInteger().with_variant(Integer(), "sqlite")

metadata = MetaData(naming_convention=NAMING)

meta = Table(
    "meta",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

decisions = Table(
    "decisions",
    metadata,
    Column("seq", Serial, primary_key=True),
    Column("symbol", Text),
    Column("decision_id", Text),
    Column("timestamp_ms", BigInteger),
    Column("outcome", Text, nullable=False),
    Column("reasons", Text, nullable=False),
    Column("raw", Text, nullable=False),
    Column("content", Text),
    Column("at_ms", BigInteger, nullable=False),
    Column("zone", Text),
    Index(None, "symbol", "outcome", "timestamp_ms"),
)

refusals = Table(
    "refusals",
    metadata,
    Column("seq", Serial, primary_key=True),
    Column("symbol", Text, nullable=False),
    Column("decision_id", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Index(None, "decision_id"),
)

trades = Table(
    "trades",
    metadata,
    Column("key", Text, primary_key=True),
    Column("symbol", Text, nullable=False),
    Column("side", Text, nullable=False),
    Column("decision_id", Text, nullable=False),
    Column("decision", Text, nullable=False),
    Column("planned_quantity", Money, nullable=False),
    Column("limit_price", Money, nullable=False),
    Column("initial_stop", Money, nullable=False),
    Column("tp1", Money, nullable=False),
    Column("tp2", Money),
    Column("armed_ms", BigInteger, nullable=False),
    Column("ratchet_price", Money),
    Column("closing", Text),
    Column("closed_by", Text),
    Column("entry_over", Text),
    Column("voided", Text),
    Column("proven_flat_ms", BigInteger),
    Column("ended_ms", BigInteger),
    Column("closing_rule", Text),
    Column("adopted_price", Money),
    Column("adopted_quantity", Money, nullable=False, server_default="0"),
    Column("quantity", Money),
    Column("average_entry", Money),
    Column("average_exit", Money),
    Column("exit_reason", Text),
    Column("realized_pnl", Money),
    Column("fees", Money),
    Column("r_gross", Money),
    Column("r_net", Money),
    Column("slippage", Money),
    Column("stop_moves", BigInteger),
    Column("first_fill_ms", BigInteger),
    Column("last_fill_ms", BigInteger),
    Column("zone", Text),
    Column("left_zones", Text),
    Column("origin_ms", BigInteger),
    Column("guide_id", Text),
    Column("guide", Text),
    Column("funding", Money),
    Column("chases", BigInteger),
    Column("unprotected_ms", BigInteger),
    Index(None, "symbol", "last_fill_ms"),
)
# Two open trades of one symbol could not both be restored.
Index(
    OPEN_TRADE_INDEX,
    trades.c.symbol,
    unique=True,
    sqlite_where=trades.c.ended_ms.is_(None),
    postgresql_where=trades.c.ended_ms.is_(None),
)

orders = Table(
    "orders",
    metadata,
    Column("seq", Serial, primary_key=True),
    Column("client_id", Text, nullable=False),
    Column("trade_key", Text, ForeignKey("trades.key"), nullable=False),
    Column("symbol", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("attempt", BigInteger, nullable=False),
    Column("side", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("quantity", Money),
    Column("price", Money),
    Column("trigger_price", Money),
    Column("time_in_force", Text),
    Column("reduce_only", Boolean, nullable=False),
    Column("close_position", Boolean, nullable=False),
    Column("working_type", Text),
    Column("rule", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("journaled_ms", BigInteger, nullable=False),
    Column("timestamp_ms", BigInteger),
    Column("state", Text, nullable=False),
    Column("venue_id", Text),
    Column("child_venue_id", Text),
    Column("acked_ms", BigInteger),
    Column("updated_ms", BigInteger, nullable=False),
    Column("filled_quantity", Money, nullable=False),
    Column("end_status", Text),
    Column("end_code", BigInteger),
    Column("end_reason", Text),
    Column("ended_ms", BigInteger),
    Column("triggered_ms", BigInteger),
    Column("echo_error", Text),
    Column("cancel_sent_ms", BigInteger),
    Column("cancel_unknown_ms", BigInteger),
    Column("misses", Text, nullable=False),
    Column("unlisted", Text, nullable=False, server_default="[]"),
    Column("amendments", Text, nullable=False, server_default="[]"),
    UniqueConstraint("client_id"),
    UniqueConstraint("trade_key", "role", "attempt"),
    Index(None, "symbol", "state"),
)

fills = Table(
    "fills",
    metadata,
    Column("symbol", Text, primary_key=True),
    Column("trade_id", BigInteger, primary_key=True),
    Column("trade_key", Text, ForeignKey("trades.key"), nullable=False),
    Column("order_client_id", Text, nullable=False),
    Column("venue_order_id", Text, nullable=False),
    Column("client_id", Text),
    Column("side", Text, nullable=False),
    Column("price", Money, nullable=False),
    Column("quantity", Money, nullable=False),
    Column("maker", Boolean, nullable=False),
    Column("fee", Money, nullable=False),
    Column("fee_asset", Text, nullable=False),
    Column("realized_pnl", Money, nullable=False),
    Column("time_ms", BigInteger, nullable=False),
    Index(None, "trade_key"),
)

stop_moves = Table(
    "stop_moves",
    metadata,
    Column("client_id", Text, ForeignKey("orders.client_id"), primary_key=True),
    Column("trade_key", Text, ForeignKey("trades.key"), nullable=False),
    Column("symbol", Text, nullable=False),
    Column("trigger_price", Money, nullable=False),
    Column("tightness", BigInteger, nullable=False),
    Column("floor", BigInteger),
    Column("asked_ms", BigInteger, nullable=False),
    Column("confirmed_ms", BigInteger),
    # A floor of NULL, before the first confirmed stop, holds nothing back.
    CheckConstraint("tightness >= floor", name="ratchet"),
    Index(None, "trade_key"),
)

reconciliations = Table(
    "reconciliations",
    metadata,
    Column("seq", Serial, primary_key=True),
    Column("symbol", Text),
    Column("found", Text, nullable=False),
    Column("done", Text, nullable=False),
    Column("duration_ms", BigInteger, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
)

incidents = Table(
    "incidents",
    metadata,
    Column("seq", Serial, primary_key=True),
    Column("symbol", Text),
    Column("severity", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
)

equity = Table(
    "equity",
    metadata,
    Column("seq", Serial, primary_key=True),
    Column("equity", Money, nullable=False),
    Column("wallet", Money, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Index(None, "at_ms"),
)

events = Table(
    "events",
    metadata,
    Column("seq", Serial, primary_key=True),
    Column("symbol", Text),
    Column("trade_key", Text),
    Column("rule", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Index(None, "trade_key"),
)

operator_requests = Table(
    "operator_requests",
    metadata,
    Column("seq", Serial, primary_key=True),
    Column("symbol", Text),
    Column("request", Text, nullable=False),
    Column("asked_by", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("done_ms", BigInteger),
    Column("outcome", Text),
)

modes = Table(
    "modes",
    metadata,
    Column("symbol", Text, primary_key=True),
    Column("mode", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("since_ms", BigInteger, nullable=False),
    Column("code", Text, nullable=False, server_default=""),
)

snapshots = Table(
    "snapshots",
    metadata,
    Column("symbol", Text, primary_key=True),
    Column("content", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
)

lease = Table(
    "lease",
    metadata,
    Column("name", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
)

probes = Table(
    "probes",
    metadata,
    Column("seq", Serial, primary_key=True),
    Column("assumption", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("holds", Boolean, nullable=False),
    Column("detail", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
)
