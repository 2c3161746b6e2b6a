"""Priorities of plans."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the column."""
    op.add_column("plans", sa.Column("priority", sa.Integer, nullable=False, server_default="0"))
