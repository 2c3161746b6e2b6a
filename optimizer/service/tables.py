"""The tables of the store. A change here needs a revision in ``migrations/versions``; a test compares the two.

Times are seconds since 1970 by the clock of the server that wrote them; only the end of a token is decided by them.
"""

from __future__ import annotations

import sqlalchemy as sa

from optimizer.service.access import DEFAULT_TENANT, TENANT_LENGTH

METADATA = sa.MetaData()


def _tenant(*, is_key: bool = False) -> sa.Column[str]:
    """Whose a row is."""
    default = None if is_key else DEFAULT_TENANT
    return sa.Column("tenant", sa.String(TENANT_LENGTH), primary_key=is_key, nullable=False, server_default=default)


PORTFOLIOS = sa.Table(
    "portfolios",
    METADATA,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("content", sa.LargeBinary, nullable=False),
    sa.Column("create_time_s", sa.Float, nullable=False),
    _tenant(),
    sa.Index("portfolios_by_time", "create_time_s", "id"),
    sa.Index("portfolios_by_tenant", "tenant", "create_time_s", "id"),
)

PLANS = sa.Table(
    "plans",
    METADATA,
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
    _tenant(),
    sa.Column("question_sha256", sa.String(64)),
    sa.Column("conclusive", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("reused_from", sa.String(32)),
    sa.Column("priority", sa.Integer, nullable=False, server_default="0"),
    sa.Index("plans_by_state", "state", "number"),
    sa.Index("plans_by_portfolio", "portfolio_id", "number"),
    sa.Index("plans_by_tenant", "tenant", "number"),
    sa.Index("plans_by_question", "tenant", "question_sha256"),
)
"""``sequence`` is that of the last event, ``fence`` the number of the latest run; ``beat`` counts its signs of life,
and ``lost_count`` the runs that ceased to give any. One that is ``conclusive`` answers the same question again."""

EVENTS = sa.Table(
    "events",
    METADATA,
    sa.Column("plan_id", sa.String(32), sa.ForeignKey("plans.id"), primary_key=True),
    sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("stage", sa.Integer, nullable=False),
    sa.Column("progress", sa.LargeBinary),
    sa.Column("end_state", sa.String(16)),
)

REQUESTS = sa.Table(
    "requests",
    METADATA,
    _tenant(is_key=True),
    sa.Column("method", sa.String(32), primary_key=True),
    sa.Column("id_sha256", sa.String(64), primary_key=True),
    sa.Column("content_sha256", sa.String(64), nullable=False),
    sa.Column("resource_id", sa.String(32), nullable=False),
    sa.Index("requests_by_resource", "resource_id"),
)
"""What a request of a tenant with an id made, so that the same request makes it once; of its id and content only the
digests."""

TOKENS = sa.Table(
    "tokens",
    METADATA,
    sa.Column("id", sa.String(12), primary_key=True),
    sa.Column("secret_sha256", sa.String(64), nullable=False),
    sa.Column("label", sa.String(200), nullable=False),
    sa.Column("scope", sa.String(8), nullable=False),
    sa.Column("create_time_s", sa.Float, nullable=False),
    sa.Column("expire_time_s", sa.Float),
    sa.Column("revoke_time_s", sa.Float),
    _tenant(),
)
