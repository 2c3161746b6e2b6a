"""Portfolios, plans, events and requests."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "portfolios",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("create_time_s", sa.Float, nullable=False),
    )
    op.create_table(
        "plans",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("id", sa.String(32), nullable=False, unique=True),
        sa.Column("portfolio_id", sa.String(32), sa.ForeignKey("portfolios.id"), nullable=False),
        sa.Column("options", sa.LargeBinary, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("create_time_s", sa.Float, nullable=False),
        sa.Column("start_time_s", sa.Float),
        sa.Column("end_time_s", sa.Float),
        sa.Column("stop_requested", sa.Boolean, nullable=False),
        sa.Column("cancel_requested", sa.Boolean, nullable=False),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("progress", sa.LargeBinary),
        sa.Column("result", sa.LargeBinary),
        sa.Column("error", sa.LargeBinary),
        sa.Column("fence", sa.Integer, nullable=False),
        sa.Column("beat", sa.Integer, nullable=False),
        sa.Column("lost_count", sa.Integer, nullable=False),
    )
    op.create_index("plans_by_state", "plans", ["state", "number"])
    op.create_table(
        "events",
        sa.Column("plan_id", sa.String(32), sa.ForeignKey("plans.id"), primary_key=True),
        sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("stage", sa.Integer, nullable=False),
        sa.Column("progress", sa.LargeBinary),
        sa.Column("end_state", sa.String(16)),
    )
    op.create_table(
        "requests",
        sa.Column("method", sa.String(32), primary_key=True),
        sa.Column("id_sha256", sa.String(64), primary_key=True),
        sa.Column("content_sha256", sa.String(64), nullable=False),
        sa.Column("resource_id", sa.String(32), nullable=False),
    )
