"""What a plan was asked, so that the same question is answered by it; plans from before answer none."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the columns and the index."""
    op.add_column("plans", sa.Column("question_sha256", sa.String(64)))
    op.add_column("plans", sa.Column("conclusive", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("plans", sa.Column("reused_from", sa.String(32)))
    op.create_index("plans_by_question", "plans", ["tenant", "question_sha256"])
