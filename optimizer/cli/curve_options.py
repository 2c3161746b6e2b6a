"""Options that the commands of curves share, and how their text is read."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import typer

from optimizer.domain.curves import MAXIMUM_POINT_COUNT
from optimizer.domain.portfolio import Portfolio
from optimizer.errors import InvalidInputError

if TYPE_CHECKING:
    from optimizer.app.curve_inputs import Gpu

PORTFOLIO = typer.Option(help="Portfolio file or example, for its machines and sites.")
PUE = typer.Option(help="Grid draw over machine or IT power.")
GPU = typer.Option(help="GPU model or family, as H100 (optimizer library list gpus).")
POWER_KW_PER_GPU = typer.Option(help="Critical IT kW per GPU; its server's rating if not given.")
FAILURES = typer.Option(help="Failures that stop the job; 0.47 in Llama 3's training.")
CHECKPOINT_SAVE_S = typer.Option(help="Seconds to save a checkpoint.")
RESTART_S = typer.Option(help="Seconds from a failure to training again.")
PLOT = typer.Option(help="Draw a picture: .png, .svg, .pdf or .html.")
OUT = typer.Option(help="Write every column as CSV.")


def levels(text: str, name: str = "hashprice") -> list[float]:
    """The numbers of ``20:80:5`` (the end included) or ``20,35,50``."""
    wrong = _refusal(name, "write low:high:step or numbers with commas")
    parts = _numbers(text, wrong)
    if ":" not in text:
        return parts
    if len(parts) != 3 or not (parts[2] > 0.0 and parts[0] <= parts[1]):
        raise wrong(f"{text!r} is not a rising range")
    low, high, step = parts
    steps = (high - low) / step * (1.0 + 1e-12)  # 20:80:0.1 ends at 80, whatever 0.1 is in binary
    if not steps < MAXIMUM_POINT_COUNT:
        raise wrong(f"{text!r} has more than {MAXIMUM_POINT_COUNT:,} points")
    return [low + step * place for place in range(int(steps) + 1)]


def geometric_counts(text: str, name: str) -> list[int]:
    """The counts of ``1024:65536`` (doubling), ``1024:65536:1.5`` or ``1024,3000``; the end is included."""
    wrong = _refusal(name, "write low:high, low:high:factor or whole numbers with commas")
    parts = _numbers(text, wrong)
    if ":" not in text:
        if any(part != round(part) for part in parts):
            raise wrong(f"{text!r} has counts that are not whole")
        return [round(part) for part in parts]
    low, high, factor = (*parts, 2.0)[:3]
    if len(parts) not in (2, 3) or not (1.0 <= low <= high and factor > 1.0):
        raise wrong(f"{text!r} is not a rising range")
    counts = [low]
    while counts[-1] * factor < high:
        counts.append(counts[-1] * factor)
        if len(counts) >= MAXIMUM_POINT_COUNT:
            raise wrong(f"{text!r} has more than {MAXIMUM_POINT_COUNT:,} points")
    return list(dict.fromkeys(round(count) for count in (*counts, high)))


def _numbers(text: str, wrong: Callable[[str], InvalidInputError]) -> list[float]:
    try:
        numbers = [float(part) for part in text.split(":" if ":" in text else ",")]
    except ValueError:
        numbers = []
    if not numbers or not all(map(math.isfinite, numbers)):
        raise wrong(f"{text!r} is neither a range nor a list of numbers")
    return numbers


def _refusal(name: str, fix: str) -> Callable[[str], InvalidInputError]:
    return lambda message: InvalidInputError.single(name, message, fix, "question")


def portfolio_of(source: str | None) -> Portfolio | None:
    """The portfolio of that file or example, if one is named."""
    if source is None:
        return None
    from optimizer.io import load_portfolio

    return load_portfolio(source)


def given(values: Mapping[str, Any]) -> dict[str, Any]:
    """Those that were given."""
    return {name: value for name, value in values.items() if value is not None}


def gpu_power_kw(found: Gpu, power_kw_per_gpu: float | None) -> float:
    """Power as it was stated, else the rating of the GPU's server."""
    power_kw = power_kw_per_gpu if power_kw_per_gpu is not None else found.power_kw_per_gpu
    if power_kw is None:
        told = f"no server rating of {found.name} is published"
        raise InvalidInputError.single("power_kw_per_gpu", told, "state it with --power-kw-per-gpu", "question")
    return power_kw
