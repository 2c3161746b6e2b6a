"""How much a service takes on."""

from __future__ import annotations

from dataclasses import dataclass

from optimizer.errors import InvalidInputError


@dataclass(frozen=True, slots=True)
class Limits:
    """What it refuses rather than promises.

    Raises:
        InvalidInputError: nothing could be done within one of them.
    """

    queue_limit: int = 64
    """Plans that wait, of all tenants."""
    tenant_quota: int | None = None
    """Plans of one tenant that wait or are computed; none: any number."""

    def __post_init__(self) -> None:
        """Check."""
        for name in self.__dataclass_fields__:
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise InvalidInputError.single(name, f"{value:g} is not positive", "write more than 0", "server")
