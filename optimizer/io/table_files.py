"""CSV and Parquet files as tables."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from optimizer.errors import InvalidInputError, SeriesError
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


def write_parts(file: Path, parts: Iterable[pd.DataFrame]) -> int:
    """Write parts of one table, one after the other, as CSV or Parquet; the number of rows.

    Raises:
        InvalidInputError: for a file that is neither or cannot be written, and for Parquet without pyarrow.
    """
    if file.suffix.lower() not in (".csv", ".parquet"):
        told = f"{file.name} is neither CSV nor Parquet"
        raise InvalidInputError.single(str(file), told, "write to .csv or .parquet", "output")
    write = _write_parquet if file.suffix.lower() == ".parquet" else _write_csv
    try:
        return write(file, parts)
    except ImportError:
        fix = f"{install_command('parquet')}, or write .csv"
        raise InvalidInputError.single(str(file), "writing Parquet needs pyarrow", fix, "output") from None
    except OSError as error:
        told = f"cannot be written: {error.strerror or error}"
        raise InvalidInputError.single(str(file), told, "choose another file", "output") from None


def _write_csv(file: Path, parts: Iterable[pd.DataFrame]) -> int:
    count = 0
    with file.open("w", encoding="utf-8", newline="") as target:
        for part in parts:
            part.to_csv(target, index=False, header=count == 0, lineterminator="\n")
            count += len(part)
    return count


def _write_parquet(file: Path, parts: Iterable[pd.DataFrame]) -> int:
    """A group of rows a part."""
    import pyarrow as pa
    from pyarrow import parquet

    writer, count = None, 0
    try:
        for part in parts:
            table = pa.Table.from_pandas(part, preserve_index=False)
            writer = writer or parquet.ParquetWriter(file, table.schema)
            writer.write_table(table)
            count += len(part)
    finally:
        if writer is not None:
            writer.close()
    return count
