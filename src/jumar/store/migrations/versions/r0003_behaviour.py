"""Bound zones, decisions that guide an open trade, amended entries, funding, and what a summary tells."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_TRADES = (
    ("zone", sa.Text()),
    ("left_zones", sa.Text()),
    ("origin_ms", sa.BigInteger()),
    ("guide_id", sa.Text()),
    ("guide", sa.Text()),
    ("funding", sa.Text()),
    ("chases", sa.BigInteger()),
    ("unprotected_ms", sa.BigInteger()),
)


def upgrade() -> None:
    """Add what the whole of the behaviour keeps."""
    for name, kind in _TRADES:
        op.add_column("trades", sa.Column(name, kind))
    op.add_column("decisions", sa.Column("zone", sa.Text()))
    op.add_column("orders", sa.Column("amendments", sa.Text(), nullable=False, server_default="[]"))
    op.add_column("modes", sa.Column("code", sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    """Take it away again."""
    op.drop_column("modes", "code")
    op.drop_column("orders", "amendments")
    op.drop_column("decisions", "zone")
    for name, _ in reversed(_TRADES):
        op.drop_column("trades", name)
