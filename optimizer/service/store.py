"""What the service remembers, in memory: portfolios, jobs, and the requests that made them."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeVar, cast

from optimizer.domain.portfolio import Portfolio
from optimizer.errors import InvalidInputError, NotFoundError
from optimizer.service.jobs import Job

DEFAULT_PAGE_SIZE: Final = 50
MAXIMUM_PAGE_SIZE: Final = 1000

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class StoredPortfolio:
    """A portfolio with its name in the service."""

    portfolio: Portfolio
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    create_time: dt.datetime = field(default_factory=lambda: dt.datetime.now(dt.UTC))


class Store:
    """Everything by id. Nothing is forgotten before the process ends."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._portfolios: dict[str, StoredPortfolio] = {}
        self._jobs: dict[str, Job] = {}
        self._requests: dict[tuple[str, str], tuple[bytes, object]] = {}

    def once(self, method: str, request_id: str, content: bytes, create: Callable[[], T]) -> T:
        """What ``create`` makes; for an id that was there before, what was made then.

        Raises:
            InvalidInputError: the id came with other content before.
        """
        if not request_id:
            return create()
        digest = hashlib.sha256(content).digest()
        with self._lock:
            known = self._requests.get((method, request_id))
            if known is None:
                made = create()
                self._requests[method, request_id] = digest, made
                return made
            if known[0] != digest:
                message = f"{request_id!r} was used for another request"
                raise InvalidInputError.single("request_id", message, "give every request its own id", "request")
            return cast("T", known[1])

    def add_portfolio(self, portfolio: Portfolio) -> StoredPortfolio:
        """Keep a portfolio."""
        stored = StoredPortfolio(portfolio)
        with self._lock:
            self._portfolios[stored.id] = stored
        return stored

    def portfolio(self, portfolio_id: str) -> StoredPortfolio:
        """A portfolio by id."""
        return self._found("portfolio", self._portfolios, portfolio_id)

    def add_job(self, job: Job) -> None:
        """Keep a job."""
        with self._lock:
            self._jobs[job.id] = job

    def job(self, job_id: str) -> Job:
        """A job by id."""
        return self._found("plan", self._jobs, job_id)

    def page_of_jobs(self, size: int, token: str) -> tuple[list[Job], str]:
        """Jobs, newest first, and the token of the next page. Jobs that come in between do not shift the pages."""
        if size < 0:
            raise InvalidInputError.single("page_size", f"{size} is negative", "ask for 1 to 1000", "request")
        size = min(size or DEFAULT_PAGE_SIZE, MAXIMUM_PAGE_SIZE)
        with self._lock:
            jobs = list(self._jobs.values())
        end = _position(token) if token else len(jobs)
        if end > len(jobs):
            raise _bad_token(token)
        start = max(0, end - size)
        return jobs[start:end][::-1], _token(start) if start else ""

    def _found(self, kind: str, known: dict[str, T], wanted: str) -> T:
        with self._lock:
            if wanted in known:
                return known[wanted]
        raise NotFoundError(kind, f"{kind}s/{wanted}")


def _token(position: int) -> str:
    return base64.urlsafe_b64encode(f"plans:{position}".encode()).decode()


def _position(token: str) -> int:
    try:
        kind, _, position = base64.urlsafe_b64decode(token.encode()).decode().partition(":")
        if kind == "plans" and position.isdecimal():
            return int(position)
    except (binascii.Error, UnicodeError, ValueError):
        pass
    raise _bad_token(token)


def _bad_token(token: str) -> InvalidInputError:
    return InvalidInputError.single(
        "page_token", f"{token[:40]!r} is not a page token", "pass next_page_token as it came", "request"
    )
