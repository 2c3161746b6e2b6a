"""What the service remembers, in a database: portfolios, jobs with their history, and the requests that made them."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import time
import uuid
from collections.abc import Callable, Collection, Sequence
from typing import Any, Final

import sqlalchemy as sa

from optimizer.errors import InvalidInputError, JobCancelledError, NotFoundError
from optimizer.service.access import EVERYWHERE, Access
from optimizer.service.database import Database
from optimizer.service.events import Bells, append_events, conflated, queued_progress
from optimizer.service.limits import Limits
from optimizer.service.pages import page_size, place_of, token_after
from optimizer.service.records import NO_TERMS, UNENDED, Event, Job, JobState, Request, StoredPortfolio, Terms
from optimizer.service.tables import EVENTS, PLANS, PORTFOLIOS, REQUESTS
from optimizer.wire.errors import EtagError, OverloadedError, PreconditionError, QuotaError, to_status

NO_LIMITS: Final = Limits(queue_limit=10**9)
_RETRY_AFTER_S: Final = 10.0
_FORGOTTEN_AT_ONCE: Final = 500
_QUEUE_TURN: Final = 7_318_002
"""Of PostgreSQL, so that two servers do not both take the last place."""
CANCELLED: Final = "the job was cancelled before it had a plan"
_ID: Final = re.compile("[0-9a-f]{32}")
_NEW_JOB: Final[dict[str, Any]] = {
    "state": JobState.QUEUED,
    **dict.fromkeys(("stop_requested", "cancel_requested"), False),
    **dict.fromkeys(("sequence", "fence", "beat", "lost_count"), 0),
}
_LISTED: Final = [column for column in PLANS.columns if column.name != "result"]
_PORTFOLIO: Final = sa.select(PORTFOLIOS).where(PORTFOLIOS.c.id == sa.bindparam("wanted"))
_JOB: Final = sa.select(PLANS).where(PLANS.c.id == sa.bindparam("wanted"))
_STATE: Final = sa.select(PLANS.c.state, PLANS.c.tenant).where(PLANS.c.id == sa.bindparam("wanted"))
_EVENTS: Final = (
    sa.select(EVENTS)
    .where(EVENTS.c.plan_id == sa.bindparam("wanted"))
    .where(sa.or_(EVENTS.c.sequence > sa.bindparam("sequence"), EVENTS.c.end_state.is_not(None)))
    .order_by(EVENTS.c.sequence)
)
"""Statements that are made once: making one takes longer than SQLite takes to answer it."""


class Store:
    """Everything by id. What a method returned is on disk. Ended jobs are kept for ``keep_s``, or for good.

    Where a method takes an ``access``, what this does not see is not there.
    """

    def __init__(self, database: Database | None = None, keep_s: float | None = None) -> None:
        self.database, self.keep_s = database or Database(), keep_s
        self.bells = Bells()

    def add_portfolio(self, content: bytes, request: Request) -> StoredPortfolio:
        """Keep a portfolio, or find the one that the same request made before."""

        def add(connection: sa.Connection) -> str:
            made = {"id": uuid.uuid4().hex, "content": content, "create_time_s": time.time()}
            connection.execute(PORTFOLIOS.insert().values(made | {"tenant": request.tenant}))
            return str(made["id"])

        return self.portfolio(self._once(request, add))

    def portfolio(self, portfolio_id: str, access: Access = EVERYWHERE) -> StoredPortfolio:
        """A portfolio by id."""
        row = self._found("portfolio", _PORTFOLIO, portfolio_id, access)
        return StoredPortfolio(row["id"], row["content"], _moment(row["create_time_s"]), row["tenant"])

    def add_job(
        self,
        portfolio_id: str,
        options: bytes,
        request: Request,
        limits: Limits = NO_LIMITS,
        terms: Terms = NO_TERMS,
    ) -> Job:
        """Put a job in the queue, or find the one that the same request made before; it is whose its portfolio is.

        Where its terms allow it, it has ended at once with the answer to the same question.

        Raises:
            OverloadedError: the queue is full, or the tenant has as much under way as it may.
        """

        def add(connection: sa.Connection) -> str:
            kept = sa.select(PORTFOLIOS.c.tenant).where(PORTFOLIOS.c.id == portfolio_id)
            tenant = connection.execute(kept.with_for_update(read=True, key_share=True)).scalar()
            if tenant is None:
                raise NotFoundError("portfolio", f"portfolios/{portfolio_id}")
            job_id = uuid.uuid4().hex
            said = {"id": job_id, "portfolio_id": portfolio_id, "options": options, "create_time_s": time.time()}
            said |= {"tenant": tenant, "question_sha256": terms.question_sha256, "priority": terms.priority} | _NEW_JOB
            answer = _answer(connection, tenant, terms)
            if answer is not None:
                connection.execute(PLANS.insert().values(said | _reused_values(answer)))
                append_events(connection, job_id, [queued_progress(), answer["progress"], JobState.SUCCEEDED])
                return job_id
            self._find_room(connection, tenant, limits)
            connection.execute(PLANS.insert().values(said))
            append_events(connection, job_id, [queued_progress()])
            return job_id

        return self.job(self._once(request, add))

    def _find_room(self, connection: sa.Connection, tenant: str, limits: Limits) -> None:
        """Return if one more job may wait; servers that share a queue count one after the other."""
        self.database.take_turns(connection, _QUEUE_TURN)
        waiting = sa.select(sa.func.count()).where(PLANS.c.state == JobState.QUEUED)
        if connection.execute(waiting).scalar_one() >= limits.queue_limit:
            raise OverloadedError(f"{limits.queue_limit} plans are waiting already; come again", _RETRY_AFTER_S)
        if limits.tenant_quota is None:
            return
        own = sa.select(sa.func.count()).where(PLANS.c.tenant == tenant, PLANS.c.state.in_(UNENDED))
        if connection.execute(own).scalar_one() >= limits.tenant_quota:
            raise QuotaError(tenant, limits.tenant_quota, _RETRY_AFTER_S)

    def job(self, job_id: str, access: Access = EVERYWHERE) -> Job:
        """A job by id, with its result."""
        return self._job(self._found("plan", _JOB, job_id, access))

    def state(self, job_id: str) -> JobState:
        """How far a job has come."""
        return JobState(self._found("plan", _STATE, job_id, EVERYWHERE)["state"])

    def ask_to_stop(self, job_id: str) -> None:
        """Want what a job has found so far. A queued one has found nothing: it ends at once and is not begun."""
        self._ask_to_end(job_id, "stop_requested", "the job was stopped before it had begun")

    def ask_to_cancel(self, job_id: str) -> None:
        """Want no answer any more. A queued job ends at once, a running one when its process has heard of it."""
        self._ask_to_end(job_id, "cancel_requested", CANCELLED)

    def _ask_to_end(self, job_id: str, wish: str, told: str) -> None:
        """End a queued job, or leave a wish for who runs it."""
        with self.database.writing() as connection:
            queued = PLANS.update().where(PLANS.c.id == job_id, PLANS.c.state == JobState.QUEUED)
            if connection.execute(queued.values(cancelled_values(told))).rowcount:
                append_events(connection, job_id, [JobState.CANCELLED])
            else:
                connection.execute(PLANS.update().where(PLANS.c.id == job_id).values({wish: True}))
        self.bells.ring(job_id)

    def events_after(self, job_id: str, sequence: int) -> list[Event]:
        """What happened after a number, conflated; past the end, the end once more."""
        with self.database.reading() as connection:
            rows = connection.execute(_EVENTS, {"wanted": job_id, "sequence": sequence}).mappings().all()
        return conflated([_event(row) for row in rows])

    def page_of_jobs(
        self,
        size: int,
        token: str,
        portfolio_id: str = "",
        states: Collection[JobState] = (),
        access: Access = EVERYWHERE,
    ) -> tuple[list[Job], str]:
        """Jobs, newest first, and the token of the next page. Jobs that come in between do not shift the pages."""
        query, listed = (
            sa.select(*_LISTED).order_by(PLANS.c.number.desc()),
            f"plans {portfolio_id} {sorted(states)} {access}",
        )
        query = query.where(*access.conditions(PLANS.c.tenant))
        if portfolio_id:
            query = query.where(PLANS.c.portfolio_id == portfolio_id)
        if states:
            query = query.where(PLANS.c.state.in_(states))
        if token:
            query = query.where(PLANS.c.number < int(place_of(listed, token)))
        rows, more = self._page(query, size)
        return [self._job(row) for row in rows], token_after(listed, str(rows[-1]["number"])) if more else ""

    def page_of_portfolios(
        self, size: int, token: str, access: Access = EVERYWHERE
    ) -> tuple[list[StoredPortfolio], str]:
        """Portfolios without their content, newest first, and the token of the next page."""
        key = (PORTFOLIOS.c.create_time_s, PORTFOLIOS.c.id)
        query = sa.select(*key, PORTFOLIOS.c.tenant).order_by(*(column.desc() for column in key))
        query, listed = query.where(*access.conditions(PORTFOLIOS.c.tenant)), f"portfolios {access}"
        if token:
            seconds, _, last_id = place_of(listed, token).partition(" ")
            query = query.where(sa.tuple_(*key) < sa.tuple_(sa.literal(float(seconds)), sa.literal(last_id)))
        rows, more = self._page(query, size)
        found = [StoredPortfolio(row["id"], b"", _moment(row["create_time_s"]), row["tenant"]) for row in rows]
        return found, token_after(listed, f"{rows[-1]['create_time_s']!r} {rows[-1]['id']}") if more else ""

    def delete_portfolio(self, portfolio_id: str) -> None:
        """Forget a portfolio, and the request that made it.

        Raises:
            PreconditionError: there are plans of it.
        """
        locked = sa.select(PORTFOLIOS.c.id).where(PORTFOLIOS.c.id == portfolio_id).with_for_update()
        plans = sa.select(sa.func.count()).select_from(PLANS).where(PLANS.c.portfolio_id == portfolio_id)
        with self.database.writing() as connection:
            if connection.execute(locked).first() is None:
                raise NotFoundError("portfolio", f"portfolios/{portfolio_id}")
            count = connection.execute(plans).scalar_one()
            if count:
                told = f"{count} plan{'s' if count > 1 else ''} of it must be deleted first"
                raise PreconditionError("HAS_PLANS", f"portfolios/{portfolio_id}", told)
            connection.execute(PORTFOLIOS.delete().where(PORTFOLIOS.c.id == portfolio_id))
            connection.execute(REQUESTS.delete().where(REQUESTS.c.resource_id == portfolio_id))

    def delete_job(self, job_id: str, etag: str = "") -> None:
        """Forget a job that has ended, its history, and the request that made it.

        Raises:
            PreconditionError: it has not ended.
            EtagError: it is another than the caller has seen.
        """
        locked = sa.select(*_LISTED).where(PLANS.c.id == job_id).with_for_update()
        with self.database.writing() as connection:
            row = connection.execute(locked).mappings().first()
            if row is None:
                raise NotFoundError("plan", f"plans/{job_id}")
            job = self._job(row)
            if etag and etag != job.etag:
                raise EtagError(f"plans/{job_id}", etag)
            if not job.state.ended:
                raise PreconditionError("NOT_ENDED", f"plans/{job_id}", f"it is {job.state}; cancel it first")
            _forget(connection, [job_id])
        self.bells.ring(job_id)

    def delete_expired(self) -> int:
        """Forget jobs that ended longer ago than they are kept; how many they were."""
        if self.keep_s is None:
            return 0
        expired = sa.select(PLANS.c.id).where(PLANS.c.end_time_s < time.time() - self.keep_s).limit(_FORGOTTEN_AT_ONCE)
        with self.database.writing() as connection:
            job_ids = connection.execute(expired.with_for_update(skip_locked=True)).scalars().all()
            _forget(connection, job_ids)
        for job_id in job_ids:
            self.bells.ring(job_id)
        return len(job_ids)

    def _page(self, query: sa.Select[Any], size: int) -> tuple[Sequence[sa.RowMapping], bool]:
        """The first rows of a query, and whether there are more."""
        size = page_size(size)
        with self.database.reading() as connection:
            rows = connection.execute(query.limit(size + 1)).mappings().all()
        return rows[:size], len(rows) > size

    def _once(self, request: Request, add: Callable[[sa.Connection], str]) -> str:
        """The id of what ``add`` makes, or of what the same request made before.

        Raises:
            InvalidInputError: the id came with other content before.
        """
        if not request.id:
            with self.database.writing() as connection:
                return add(connection)
        id_sha256 = hashlib.sha256(request.id.encode()).hexdigest()
        key = {"tenant": request.tenant, "method": request.method, "id_sha256": id_sha256}
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

    def _job(self, row: sa.RowMapping) -> Job:
        end_s = row["end_time_s"]
        return Job(
            id=row["id"],
            portfolio_id=row["portfolio_id"],
            options=row["options"],
            state=JobState(row["state"]),
            create_time=dt.datetime.fromtimestamp(row["create_time_s"], dt.UTC),
            start_time=_moment(row["start_time_s"]),
            end_time=_moment(end_s),
            progress=row["progress"],
            result=row.get("result"),
            error=row["error"],
            sequence=row["sequence"],
            expire_time=None if end_s is None or self.keep_s is None else _moment(end_s + self.keep_s),
            tenant=row["tenant"],
            reused_from=row["reused_from"],
            priority=row["priority"],
        )

    def _found(self, kind: str, query: sa.Select[Any], wanted: str, access: Access) -> sa.RowMapping:
        if _ID.fullmatch(wanted):
            with self.database.reading() as connection:
                row = connection.execute(query, {"wanted": wanted}).mappings().first()
            if row is not None and access.sees(row["tenant"]):
                return row
        raise NotFoundError(kind, f"{kind}s/{wanted}")


def cancelled_values(told: str = CANCELLED) -> dict[str, Any]:
    """The columns of a job that nobody wants any more."""
    error = to_status(JobCancelledError(told))
    return {"state": JobState.CANCELLED, "error": error.SerializeToString(), "end_time_s": time.time()}


def _answer(connection: sa.Connection, tenant: str, terms: Terms) -> sa.RowMapping | None:
    """The latest plan of a tenant that answers a question for good, where the terms allow that it does."""
    if not terms.allow_reuse or terms.question_sha256 is None:
        return None
    same = sa.select(PLANS).where(PLANS.c.tenant == tenant, PLANS.c.question_sha256 == terms.question_sha256)
    return (
        connection.execute(same.where(PLANS.c.conclusive).order_by(PLANS.c.number.desc()).limit(1)).mappings().first()
    )


def _reused_values(answer: sa.RowMapping) -> dict[str, Any]:
    """The columns of a job that another one answered, or that was answered by the same."""
    now = time.time()
    times = {"start_time_s": now, "end_time_s": now}
    kept = {"state": JobState.SUCCEEDED, "result": answer["result"], "conclusive": True}
    return times | kept | {"reused_from": answer["reused_from"] or answer["id"]}


def _forget(connection: sa.Connection, job_ids: Sequence[str]) -> None:
    for column in (EVENTS.c.plan_id, REQUESTS.c.resource_id, PLANS.c.id):
        connection.execute(column.table.delete().where(column.in_(job_ids)))


def _event(row: sa.RowMapping) -> Event:
    end = JobState(row["end_state"]) if row["end_state"] else None
    return Event(row["sequence"], row["stage"], row["progress"], end)


def _moment(seconds: float | None) -> dt.datetime | None:
    return None if seconds is None else dt.datetime.fromtimestamp(seconds, dt.UTC)
