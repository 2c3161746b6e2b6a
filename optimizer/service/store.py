"""What the service remembers, in a database: portfolios, jobs with their history, and the requests that made them."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import re
import time
import uuid
from collections.abc import Callable
from typing import Any, Final

import sqlalchemy as sa

from optimizer.errors import InvalidInputError, JobCancelledError, NotFoundError
from optimizer.service.database import Database
from optimizer.service.events import Bells, append_events, conflated, queued_progress
from optimizer.service.records import Event, Job, JobState, Request, StoredPortfolio
from optimizer.service.tables import EVENTS, PLANS, PORTFOLIOS, REQUESTS
from optimizer.wire.errors import OverloadedError, to_status

DEFAULT_PAGE_SIZE: Final = 50
MAXIMUM_PAGE_SIZE: Final = 1000
_RETRY_AFTER_S: Final = 10.0
_ID: Final = re.compile("[0-9a-f]{32}")
_NEW_JOB: Final[dict[str, Any]] = {
    "state": JobState.QUEUED,
    **dict.fromkeys(("stop_requested", "cancel_requested"), False),
    **dict.fromkeys(("sequence", "fence", "beat", "lost_count"), 0),
}
_LISTED: Final = [column for column in PLANS.columns if column.name != "result"]
_PORTFOLIO: Final = sa.select(PORTFOLIOS).where(PORTFOLIOS.c.id == sa.bindparam("wanted"))
_JOB: Final = sa.select(PLANS).where(PLANS.c.id == sa.bindparam("wanted"))
_STATE: Final = sa.select(PLANS.c.state).where(PLANS.c.id == sa.bindparam("wanted"))
_EVENTS: Final = (
    sa.select(EVENTS)
    .where(EVENTS.c.plan_id == sa.bindparam("wanted"))
    .where(sa.or_(EVENTS.c.sequence > sa.bindparam("sequence"), EVENTS.c.end_state.is_not(None)))
    .order_by(EVENTS.c.sequence)
)
"""Statements that are made once: making one takes longer than SQLite takes to answer it."""


class Store:
    """Everything by id. What a method returned is on disk."""

    def __init__(self, database: Database | None = None) -> None:
        self.database = database or Database()
        self.bells = Bells()

    def add_portfolio(self, content: bytes, request: Request) -> StoredPortfolio:
        """Keep a portfolio, or find the one that the same request made before."""

        def add(connection: sa.Connection) -> str:
            row = {"id": uuid.uuid4().hex, "content": content, "create_time_s": time.time()}
            connection.execute(PORTFOLIOS.insert().values(row))
            return str(row["id"])

        return self.portfolio(self._once(request, add))

    def portfolio(self, portfolio_id: str) -> StoredPortfolio:
        """A portfolio by id."""
        row = self._found("portfolio", _PORTFOLIO, portfolio_id)
        return StoredPortfolio(row["id"], row["content"], _moment(row["create_time_s"]))

    def add_job(self, portfolio_id: str, options: bytes, request: Request, queue_limit: int) -> Job:
        """Put a job in the queue, or find the one that the same request made before.

        Raises:
            OverloadedError: the queue is full.
        """

        def add(connection: sa.Connection) -> str:
            waiting = sa.select(sa.func.count()).where(PLANS.c.state == JobState.QUEUED)
            if connection.execute(waiting).scalar_one() >= queue_limit:
                raise OverloadedError(f"{queue_limit} plans are waiting already; come again", _RETRY_AFTER_S)
            job_id = uuid.uuid4().hex
            said = {"id": job_id, "portfolio_id": portfolio_id, "options": options, "create_time_s": time.time()}
            connection.execute(PLANS.insert().values(said | _NEW_JOB))
            append_events(connection, job_id, [queued_progress()])
            return job_id

        return self.job(self._once(request, add))

    def job(self, job_id: str) -> Job:
        """A job by id, with its result."""
        return _job(self._found("plan", _JOB, job_id))

    def state(self, job_id: str) -> JobState:
        """How far a job has come."""
        return JobState(self._found("plan", _STATE, job_id)["state"])

    def ask_to_stop(self, job_id: str) -> None:
        """Want what a job has found so far. A queued one ends as soon as it has begun."""
        with self.database.writing() as connection:
            connection.execute(PLANS.update().where(PLANS.c.id == job_id).values(stop_requested=True))

    def ask_to_cancel(self, job_id: str) -> None:
        """Want no answer any more. A queued job ends at once, a running one when its process has heard of it."""
        with self.database.writing() as connection:
            queued = PLANS.update().where(PLANS.c.id == job_id, PLANS.c.state == JobState.QUEUED)
            if connection.execute(queued.values(cancelled_values())).rowcount:
                append_events(connection, job_id, [JobState.CANCELLED])
            else:
                connection.execute(PLANS.update().where(PLANS.c.id == job_id).values(cancel_requested=True))
        self.bells.ring(job_id)

    def events_after(self, job_id: str, sequence: int) -> list[Event]:
        """What happened after a number, conflated; past the end, the end once more."""
        with self.database.reading() as connection:
            rows = connection.execute(_EVENTS, {"wanted": job_id, "sequence": sequence}).mappings().all()
        return conflated([_event(row) for row in rows])

    def page_of_jobs(self, size: int, token: str) -> tuple[list[Job], str]:
        """Jobs, newest first, and the token of the next page. Jobs that come in between do not shift the pages."""
        if size < 0:
            raise InvalidInputError.single("page_size", f"{size} is negative", "ask for 1 to 1000", "request")
        size = min(size or DEFAULT_PAGE_SIZE, MAXIMUM_PAGE_SIZE)
        query = sa.select(*_LISTED).order_by(PLANS.c.number.desc()).limit(size + 1)
        with self.database.reading() as connection:
            if token:
                before = _position(token)
                if before > (connection.scalar(sa.select(sa.func.max(PLANS.c.number))) or 0):
                    raise _bad_token(token)
                query = query.where(PLANS.c.number < before)
            rows = connection.execute(query).mappings().all()
        return [_job(row) for row in rows[:size]], _token(rows[size - 1]["number"]) if len(rows) > size else ""

    def _once(self, request: Request, add: Callable[[sa.Connection], str]) -> str:
        """The id of what ``add`` makes, or of what the same request made before.

        Raises:
            InvalidInputError: the id came with other content before.
        """
        if not request.id:
            with self.database.writing() as connection:
                return add(connection)
        key = {"method": request.method, "id_sha256": hashlib.sha256(request.id.encode()).hexdigest()}
        digest = hashlib.sha256(request.content).hexdigest()
        known = sa.select(REQUESTS).where(*(REQUESTS.c[name] == value for name, value in key.items()))
        try:
            with self.database.writing() as connection:
                row = connection.execute(known).mappings().first()
                if row is None:
                    made = add(connection)
                    connection.execute(REQUESTS.insert().values(key | {"content_sha256": digest, "resource_id": made}))
                    return made
        except sa.exc.IntegrityError:  # the same request came to another server, which was faster
            with self.database.reading() as connection:
                row = connection.execute(known).mappings().one()
        if row["content_sha256"] != digest:
            message = f"{request.id!r} was used for another request"
            raise InvalidInputError.single("request_id", message, "give every request its own id", "request")
        return str(row["resource_id"])

    def _found(self, kind: str, query: sa.Select[Any], wanted: str) -> sa.RowMapping:
        if _ID.fullmatch(wanted):
            with self.database.reading() as connection:
                row = connection.execute(query, {"wanted": wanted}).mappings().first()
            if row is not None:
                return row
        raise NotFoundError(kind, f"{kind}s/{wanted}")


def cancelled_values() -> dict[str, Any]:
    """The columns of a job that nobody wants any more."""
    error = to_status(JobCancelledError("the job was cancelled before it had a plan"))
    return {"state": JobState.CANCELLED, "error": error.SerializeToString(), "end_time_s": time.time()}


def _job(row: sa.RowMapping) -> Job:
    return Job(
        id=row["id"],
        portfolio_id=row["portfolio_id"],
        options=row["options"],
        state=JobState(row["state"]),
        create_time=dt.datetime.fromtimestamp(row["create_time_s"], dt.UTC),
        start_time=_moment(row["start_time_s"]),
        end_time=_moment(row["end_time_s"]),
        progress=row["progress"],
        result=row.get("result"),
        error=row["error"],
    )


def _event(row: sa.RowMapping) -> Event:
    end = JobState(row["end_state"]) if row["end_state"] else None
    return Event(row["sequence"], row["stage"], row["progress"], end)


def _moment(seconds: float | None) -> dt.datetime | None:
    return None if seconds is None else dt.datetime.fromtimestamp(seconds, dt.UTC)


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
