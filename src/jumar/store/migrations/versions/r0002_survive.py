"""Modes, snapshots, adopted positions, and stops that no list tells any more."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what recovery and the status screen keep."""
    op.add_column("trades", sa.Column("closing_rule", sa.Text()))
    op.add_column("trades", sa.Column("adopted_price", sa.Text()))
    op.add_column(
        "trades", sa.Column("adopted_quantity", sa.Text(), nullable=False, server_default="0")
    )
    op.add_column("orders", sa.Column("unlisted", sa.Text(), nullable=False, server_default="[]"))
    op.create_table(
        "modes",
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("since_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("symbol", name="pk_modes"),
    )
    op.create_table(
        "snapshots",
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("symbol", name="pk_snapshots"),
    )


def downgrade() -> None:
    """Take them away again."""
    op.drop_table("snapshots")
    op.drop_table("modes")
    op.drop_column("orders", "unlisted")
    for column in ("adopted_quantity", "adopted_price", "closing_rule"):
        op.drop_column("trades", column)
