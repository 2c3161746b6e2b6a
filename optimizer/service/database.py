"""The database behind the store, by URL: SQLite in a file, or PostgreSQL. Its tables are brought up to date on opening.

A file of SQLite belongs to one server at a time, which a lock on a file beside it says; a PostgreSQL may be shared.
What a caller was told is on disk: transactions that accept or end something are flushed. Progress and signs of life
survive the process, not the machine.
"""

from __future__ import annotations

import fcntl
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy.engine import URL, make_url

from optimizer.errors import InvalidInputError, ServiceError
from optimizer.extras import install_command
from optimizer.wire.errors import StoreUnavailableError

TEMPORARY: Final = "temporary"
"""In place of a URL: a file that is gone with its server."""
DEFAULT_STORE: Final = "sqlite:///optimizer.db"
_BUSY_S: Final = 30.0
_CONNECT_S: Final = 5
_POOL_SIZE: Final = 16
_FILE_POOL_SIZE: Final = 80
"""Of a file, which has as many connections as there are threads: to make one takes ten times as long as to read."""
_POOL_OVERFLOW: Final = 80
_MIGRATION_TURN: Final = 7_318_001
"""Of PostgreSQL, so that two servers that start together do not both migrate."""


class Database:
    """Connections, transactions, and the lock of a file: who runs no jobs takes it with ``exclusive=False``."""

    def __init__(self, url: str = TEMPORARY, *, exclusive: bool = True) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="optimizer-") if url == TEMPORARY else None
        self._url = parsed_url(f"sqlite:///{self._folder.name}/store.db" if self._folder else url)
        self._is_file = self._url.get_backend_name() == "sqlite"
        self._lock_file = _locked(Path(str(self._url.database))) if self._is_file and exclusive else None
        self._writing = threading.Lock() if self._is_file else nullcontext()
        self._engine = _engine(self._url, self._is_file)
        try:
            self._migrate()
        except CommandError as error:
            self.close()
            message = f"the store {self} was written by a later version: {error}; use that version"
            raise ServiceError(message, "FAILED_PRECONDITION", "STORE_TOO_NEW") from error
        except sa.exc.DBAPIError as error:
            self.close()
            raise StoreUnavailableError(f"the store {self} cannot be used: {_first_line(error)}") from error
        except BaseException:
            self.close()
            raise

    def __str__(self) -> str:
        """The URL without its password."""
        return self._url.render_as_string(hide_password=True)

    def __enter__(self) -> Database:
        """The database itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    @property
    def shared(self) -> bool:
        """Whether other servers may use it at the same time."""
        return not self._is_file

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A connection on which every statement stands for itself.

        Raises:
            StoreUnavailableError: the database cannot be reached or read.
        """
        with self._told(), self._engine.connect() as connection:
            if self.shared:  # a file is prepared so that nothing but writing() begins a transaction
                connection = connection.execution_options(isolation_level="AUTOCOMMIT")
            yield connection

    @contextmanager
    def writing(self, *, flushed: bool = True) -> Iterator[sa.Connection]:
        """A transaction; on disk when it is left, unless ``flushed=False``.

        Raises:
            StoreUnavailableError: the database cannot be reached or written; nothing was.
        """
        with self._told(), self._writing, self._engine.connect() as connection:
            if self._is_file:
                connection.exec_driver_sql(f"PRAGMA synchronous={'FULL' if flushed else 'NORMAL'}")
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            elif not flushed:
                connection.exec_driver_sql("SET LOCAL synchronous_commit = off")
            yield connection
            connection.commit()

    def take_turns(self, connection: sa.Connection, turn: int) -> None:
        """Wait until no other transaction has the same turn, and keep it to the end; writers of a file do so anyway."""
        if self.shared:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({turn})")

    def close(self) -> None:
        """Free the file."""
        self._engine.dispose()
        if self._lock_file is not None:
            self._lock_file.close()
        if self._folder is not None:
            self._folder.cleanup()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.TimeoutError) as error:
            raise StoreUnavailableError(f"the store {self} cannot be used now: {_first_line(error)}") from error

    def _migrate(self) -> None:
        config = Config()
        config.set_main_option("script_location", "optimizer.service:migrations")
        with self.writing() as connection:
            self.take_turns(connection, _MIGRATION_TURN)
            config.attributes["connection"] = connection
            command.upgrade(config, "head")


def parsed_url(url: str) -> URL:
    """The URL of a database that is supported.

    Raises:
        InvalidInputError: it is none.
    """
    fix = "write sqlite:///optimizer.db, or postgresql://user:password@host/database"
    try:
        parsed = make_url(url)
    except sa.exc.ArgumentError:
        raise InvalidInputError.single("store", "is not the URL of a database", fix, "server") from None
    match parsed.get_backend_name():
        case "sqlite" if parsed.database and parsed.database != ":memory:":
            return parsed
        case "sqlite":
            raise InvalidInputError.single("store", "a store in memory would keep nothing", fix, "server")
        case "postgresql":
            return parsed.set(drivername="postgresql+psycopg")
    raise InvalidInputError.single("store", f"{parsed.get_backend_name()!r} is not supported", fix, "server")


def _first_line(error: sa.exc.SQLAlchemyError) -> str:
    return str(getattr(error, "orig", None) or error).splitlines()[0]


def _engine(url: URL, is_file: bool) -> sa.Engine:
    settings: dict[str, Any] = {"pool_size": _FILE_POOL_SIZE if is_file else _POOL_SIZE, "max_overflow": _POOL_OVERFLOW}
    if not is_file:
        settings |= {"pool_pre_ping": True, "connect_args": {"connect_timeout": _CONNECT_S}}
    try:
        engine = sa.create_engine(url, **settings)
    except ModuleNotFoundError as error:
        told, fix = f"{error.name} is not installed", install_command("postgres")
        raise InvalidInputError.single("store", told, fix, "server") from error
    if is_file:
        sa.event.listen(engine, "connect", _prepare_file)
    return engine


def _locked(path: Path) -> IO[Any]:
    """The lock of a file of SQLite; the operating system frees it however its holder ends."""
    lock_path = path.with_name(path.name + ".lock")
    try:
        file = lock_path.open("a")
    except OSError as error:
        message = f"{lock_path} cannot be written: {error.strerror}"
        raise InvalidInputError.single("store", message, "name a file in a folder that exists", "server") from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        message = f"another server uses {path}; stop it, name another file with --store, or share a PostgreSQL"
        raise ServiceError(message, "FAILED_PRECONDITION", "STORE_IN_USE") from None
    return file


def _prepare_file(connection: Any, _: object) -> None:
    connection.isolation_level = None  # transactions are begun by writing(), and immediately
    connection.execute(f"PRAGMA busy_timeout={int(_BUSY_S * 1000)}")
    connection.execute("PRAGMA journal_mode=WAL")
