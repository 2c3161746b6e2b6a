"""What lists are read by, and what goes with a resource that is deleted."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the indices."""
    op.create_index("portfolios_by_time", "portfolios", ["create_time_s", "id"])
    op.create_index("plans_by_portfolio", "plans", ["portfolio_id", "number"])
    op.create_index("requests_by_resource", "requests", ["resource_id"])
