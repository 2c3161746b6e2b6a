"""One verb to write portfolios and plans; the tables of a plan as Parquet, for whatever reads Arrow."""

from __future__ import annotations

from pathlib import Path

from optimizer.domain.plan import Plan
from optimizer.domain.portfolio import Portfolio
from optimizer.errors import InvalidInputError
from optimizer.extras import install_command
from optimizer.io.plans import save_plan
from optimizer.io.portfolios import save_portfolio


def save(thing: Plan | Portfolio, path: str | Path) -> None:
    """Write a portfolio as its extension says, or a plan as JSON."""
    if isinstance(thing, Plan):
        save_plan(thing, path)
    else:
        save_portfolio(thing, path)


def save_tables(plan: Plan, folder: str | Path) -> tuple[Path, ...]:
    """Write every frame of ``plan`` as a Parquet file of its name into ``folder``; the files.

    Raises:
        InvalidInputError: where the folder cannot be made or written to, or pyarrow is not installed.
    """
    folder, files = Path(folder), []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, frame in plan.frames.items():
            files.append(folder / f"{name}.parquet")
            frame.to_parquet(files[-1], engine="pyarrow")
    except ImportError:
        fix = install_command("parquet")
        raise InvalidInputError.single(str(folder), "writing Parquet needs pyarrow", fix, "output") from None
    except OSError as error:
        told = f"cannot be written to: {error.strerror or error}"
        raise InvalidInputError.single(str(folder), told, "choose another folder", "output") from None
    return tuple(files)
