"""What more than a client needs: optional packages, the extras that install them, and the words where one is missing.

A client and the reading of portfolios and plans need none of these.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Final

from optimizer.errors import InvalidInputError

MODULES_OF: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "plan": ("highspy", "numpy", "pandas", "pyomo", "rich", "typer"),
        "report": ("plotly",),
        "workbook": ("openpyxl",),
        "service": (
            "alembic", "grpc_health", "grpc_reflection", "prometheus_client", "sqlalchemy", "starlette", "uvicorn",
        ),
        "bench": ("numba", "numexpr"),
        "parquet": ("pyarrow",),
        "plot": ("matplotlib",),
        "postgres": ("psycopg",),
        "scale": ("distributed",),
        "scip": ("pyscipopt",),
    }
)  # fmt: skip
"""Extras, and the modules that their packages bring beside those of the extras they contain."""
_EXTRA_OF: Final = {module: extra for extra, modules in MODULES_OF.items() for module in modules}


def install_command(*extras: str) -> str:
    """The command that installs extras."""
    return f"pip install 'capacity-optimizer[{','.join(extras)}]'"


@contextmanager
def naming_extras() -> Iterator[None]:
    """Tell a missing optional package by the extra that has it; a context, or a decorator of what imports one.

    Raises:
        InvalidInputError: in place of the error of an import that an extra would have made good.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name not in _EXTRA_OF:
            raise
        told, fix = f"this needs {error.name}, which is not installed", install_command(_EXTRA_OF[error.name])
        raise InvalidInputError.single("", told, fix, "installation") from error
