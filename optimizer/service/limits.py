"""How much a service takes on."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Final

from optimizer.errors import InvalidInputError
from optimizer.service.memory import resident_bytes
from optimizer.wire.errors import JobMemoryError

_BYTES_PER_GIB: Final = 2**30


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
    job_memory_gib: float | None = None
    """What the process of a plan, or of a question that is answered by solving, may have; none: what there is."""

    def __post_init__(self) -> None:
        """Check."""
        for name in self.__dataclass_fields__:
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise InvalidInputError.single(name, f"{value:g} is not positive", "write more than 0", "server")
        if self.job_memory_gib is not None and resident_bytes(os.getpid()) is None:
            told, fix = "this system does not tell how much memory a process has", "leave it out, or serve on Linux"
            raise InvalidInputError.single("job_memory_gib", told, fix, "server")

    def check_memory(self, process_id: int | None) -> None:
        """Return if the process of a job has no more memory than it may.

        Raises:
            JobMemoryError: it has.
        """
        if self.job_memory_gib is not None:
            found = resident_bytes(process_id)
            if found is not None and found > self.job_memory_gib * _BYTES_PER_GIB:
                raise JobMemoryError(self.job_memory_gib)
