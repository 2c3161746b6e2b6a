"""Tenants: what was there before is of the default one."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add whose everything is; the ids of requests are a tenant's own, which needs another key."""
    for table in ("portfolios", "plans", "tokens"):
        op.add_column(table, sa.Column("tenant", sa.String(63), nullable=False, server_default="default"))
    op.create_index("portfolios_by_tenant", "portfolios", ["tenant", "create_time_s", "id"])
    op.create_index("plans_by_tenant", "plans", ["tenant", "number"])
    op.create_table(
        "tenant_requests",
        sa.Column("tenant", sa.String(63), primary_key=True),
        sa.Column("method", sa.String(32), primary_key=True),
        sa.Column("id_sha256", sa.String(64), primary_key=True),
        sa.Column("content_sha256", sa.String(64), nullable=False),
        sa.Column("resource_id", sa.String(32), nullable=False),
    )
    op.execute(
        "INSERT INTO tenant_requests (tenant, method, id_sha256, content_sha256, resource_id) "
        "SELECT 'default', method, id_sha256, content_sha256, resource_id FROM requests"
    )
    op.drop_index("requests_by_resource", "requests")
    op.drop_table("requests")
    op.rename_table("tenant_requests", "requests")
    op.create_index("requests_by_resource", "requests", ["resource_id"])
