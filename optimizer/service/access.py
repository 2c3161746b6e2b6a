"""Whose things a call may see and make: those of the tenant of its token, or of all tenants.

What is another tenant's is not found, in the words in which what is nowhere is not found.
"""

from __future__ import annotations

import re
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from optimizer.errors import InvalidInputError

DEFAULT_TENANT: Final = "default"
"""Of tokens that name none, of calls that need none, and of what was stored before there were tenants."""
TENANT_LENGTH: Final = 63
_TENANT: Final = re.compile(f"[a-z0-9][a-z0-9-]{{0,{TENANT_LENGTH - 1}}}")


@dataclass(frozen=True, slots=True)
class Access:
    """What a call may see; what it makes is of its tenant."""

    tenant: str = DEFAULT_TENANT
    everywhere: bool = False
    """Whether it sees what is of other tenants too."""

    def sees(self, tenant: str) -> bool:
        """Whether what is of a tenant is there for this call."""
        return self.everywhere or tenant == self.tenant

    def conditions(self, tenant: sa.Column[str]) -> list[sa.ColumnElement[bool]]:
        """The same for the rows of a table, of which a column says whose they are."""
        return [] if self.everywhere else [tenant == self.tenant]


EVERYWHERE: Final = Access(everywhere=True)
"""Of the service itself."""
ACCESS: Final[ContextVar[Access]] = ContextVar("optimizer_access")
"""Of the call that this thread answers; set where it is let through, and without a value anywhere else."""


def checked_tenant(name: str) -> str:
    """The name of a tenant.

    Raises:
        InvalidInputError: it is none.
    """
    if _TENANT.fullmatch(name) is None:
        fix = f"write up to {TENANT_LENGTH} small letters, digits and hyphens, not a hyphen first"
        raise InvalidInputError.single("tenant", f"{name[: 2 * TENANT_LENGTH]!r} cannot be a tenant", fix, "token")
    return name
