"""CSV and Parquet files as tables."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from optimizer.errors import SeriesError
from optimizer.extras import install_command


def read_table(file: Path, path: str) -> pd.DataFrame:
    """A CSV or Parquet file; ``path`` is where the portfolio names it.

    Raises:
        SeriesError: for a file that cannot be read or has no rows.
    """
    try:
        if file.suffix.lower() == ".parquet":
            table = pd.read_parquet(file)
        elif file.suffix.lower() in (".csv", ".gz"):
            table = pd.read_csv(file)
        else:
            raise SeriesError.single(path, f"{file.name} is neither CSV nor Parquet", "use .csv, .csv.gz or .parquet")
    except ImportError:
        raise SeriesError.single(path, "reading Parquet needs pyarrow", install_command("parquet")) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        told = f"{file} cannot be read: {reason}"
        raise SeriesError.single(path, told, "check the path beside the portfolio") from None
    if table.empty:
        raise SeriesError.single(path, f"{file.name} has no rows", "give at least one")
    return table


def columns_of(table: pd.DataFrame) -> str:
    """What the table has, in words."""
    return f"it has {', '.join(map(str, table.columns))}"
