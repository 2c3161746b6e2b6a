"""Tokens: who may call, what for, and until when. The store has only their digests; a secret is shown once.

A token is ``opt_ID_SECRET`` with 256 random bits, so that its digest needs neither salt nor stretching. It is looked up
at every call, and again before whatever a call answers later than :data:`RENEW_S` after that, so that one that is
revoked is refused from the next call on, and ends what is open.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any, Final, TypeVar

import grpc
import sqlalchemy as sa

from optimizer.errors import InvalidInputError, NotFoundError
from optimizer.service.access import DEFAULT_TENANT, Access, checked_tenant
from optimizer.service.database import Database
from optimizer.service.tables import TOKENS
from optimizer.wire.errors import ForbiddenError, UnauthenticatedError

RENEW_S: Final = 2.0
"""For so long a token is taken to be as good as it was."""
_TOKEN: Final = re.compile(r"opt_([0-9a-f]{12})_([\w-]{43})", re.ASCII)
_LABEL_LENGTH: Final = 200
_BEARER: Final = "bearer "
_OPEN: Final = "/grpc.health.v1.Health/"
"""Whoever balances load asks whether we are well, and has no token."""
_READING: Final = re.compile("Get|List|Watch|Wait|Check|ServerReflectionInfo")
"""How methods begin that change nothing and compute nothing."""


_Response = TypeVar("_Response")


class Scope(StrEnum):
    """What a token is good for."""

    READ = "read"
    """To look at portfolios and plans."""
    PLAN = "plan"
    """Everything that is of its tenant."""
    ADMIN = "admin"
    """Everything of all tenants."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token without its secret."""

    id: str
    label: str
    """Whose it is, in words."""
    scope: Scope
    create_time: dt.datetime
    expire_time: dt.datetime | None
    """None: never."""
    revoke_time: dt.datetime | None
    """None: it was not."""
    tenant: str
    """Whose things it is for; what is made with it is of this tenant."""

    @property
    def usable(self) -> bool:
        """Whether a call with it is accepted now."""
        return self.revoke_time is None and (self.expire_time is None or dt.datetime.now(dt.UTC) < self.expire_time)

    @property
    def access(self) -> Access:
        """What a call with it may see."""
        return Access(self.tenant, everywhere=self.scope is Scope.ADMIN)


class Tokens:
    """The tokens of a store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(
        self, label: str, scope: Scope, valid_days: float | None, tenant: str = DEFAULT_TENANT
    ) -> tuple[Token, str]:
        """A new token, and what its owner presents: this is told here and never again.

        Raises:
            InvalidInputError: nobody could say later whose it is, or it would be over at once.
        """
        if not 0 < len(label) <= _LABEL_LENGTH:
            message = f"has {len(label)} characters, not 1 to {_LABEL_LENGTH}"
            raise InvalidInputError.single("label", message, "say whose token it is", "token")
        if valid_days is not None and valid_days <= 0:
            message = f"{valid_days:g} is not positive"
            raise InvalidInputError.single("valid_days", message, "leave it out for a token without end", "token")
        token_id, secret, now = secrets.token_hex(6), secrets.token_urlsafe(32), time.time()
        row = {
            "id": token_id,
            "secret_sha256": _digest(secret),
            "label": label,
            "scope": scope,
            "tenant": checked_tenant(tenant),
            "create_time_s": now,
            "expire_time_s": None if valid_days is None else now + dt.timedelta(days=valid_days).total_seconds(),
        }
        with self._database.writing() as connection:
            connection.execute(TOKENS.insert().values(row))
        return self._by_id(token_id)[0], f"opt_{token_id}_{secret}"

    def all(self) -> list[Token]:
        """All tokens, the oldest first, also those that are over."""
        with self._database.reading() as connection:
            return [
                _token(row) for row in connection.execute(sa.select(TOKENS).order_by(TOKENS.c.create_time_s)).mappings()
            ]

    def revoke(self, token_id: str) -> Token:
        """End a token; once more is no error.

        Raises:
            NotFoundError: there is none with this id.
        """
        unrevoked = TOKENS.update().where(TOKENS.c.id == token_id, TOKENS.c.revoke_time_s.is_(None))
        with self._database.writing() as connection:
            connection.execute(unrevoked.values(revoke_time_s=time.time()))
        return self._by_id(token_id)[0]

    def check(self, presented: str) -> Token:
        """The token that somebody presents.

        Raises:
            UnauthenticatedError: it is none, or none any more; which of them is not told.
        """
        match = _TOKEN.fullmatch(presented)
        if match is not None:
            try:
                token, digest = self._by_id(match[1])
            except NotFoundError:
                token, digest = None, ""
            if token is not None and hmac.compare_digest(digest, _digest(match[2])) and token.usable:
                return token
        raise UnauthenticatedError("this token is not known, or over; ask for another")

    def _by_id(self, token_id: str) -> tuple[Token, str]:
        with self._database.reading() as connection:
            row = connection.execute(sa.select(TOKENS).where(TOKENS.c.id == token_id)).mappings().first()
        if row is None:
            raise NotFoundError("token", token_id, [token.id for token in self.all()])
        return _token(row), row["secret_sha256"]


class Pass:
    """What a call was let through with: what it may see, and a token that has to stay good while it goes on."""

    def __init__(self, access: Access, check: Callable[[], object] = lambda: None) -> None:
        self.access, self._check = access, check
        self._checked_at = time.monotonic()

    def renewed(self, response: _Response) -> _Response:
        """A response, which may go out.

        Raises:
            UnauthenticatedError: the token is over by now.
        """
        if time.monotonic() - self._checked_at >= RENEW_S:
            self._check()
            self._checked_at = time.monotonic()
        return response


class Gate:
    """Lets calls through by the token in their metadata, or all of them where there are no tokens."""

    def __init__(self, tokens: Tokens | None = None) -> None:
        self._tokens = tokens

    def check(self, method: str, context: grpc.ServicerContext) -> Pass:
        """What a call of ``/package.Service/Method`` is let through with.

        Raises:
            UnauthenticatedError: it has no token that is good.
            ForbiddenError: its token is not good for this.
        """
        if self._tokens is None or method.startswith(_OPEN):
            return Pass(Access())
        presented = dict(context.invocation_metadata() or ()).get("authorization", "")
        if not isinstance(presented, str) or not presented.lower().startswith(_BEARER):
            raise UnauthenticatedError("this service asks for a token; pass it as call credentials")
        check = partial(self._tokens.check, presented[len(_BEARER) :].strip())
        token = check()
        name = method.rpartition("/")[2]
        if token.scope is Scope.READ and not _READING.match(name):
            raise ForbiddenError(f"{name} needs a token of scope {Scope.PLAN.value}; this one has {token.scope.value}")
        return Pass(token.access, check)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _token(row: Any) -> Token:
    times = (row[name] for name in ("create_time_s", "expire_time_s", "revoke_time_s"))
    create, expire, revoke = (None if time_s is None else dt.datetime.fromtimestamp(time_s, dt.UTC) for time_s in times)
    assert create is not None
    return Token(row["id"], row["label"], Scope(row["scope"]), create, expire, revoke, row["tenant"])
