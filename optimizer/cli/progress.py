"""Progress of a solve: a live line for people, a line now and then for logs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.text import Text

from optimizer.domain.plan import Progress
from optimizer.units import USD_PER_MUSD

SECONDS_BETWEEN_LOG_LINES = 5.0


def progress_line(progress: Progress) -> str:
    """One moment in words: stage, time, best plan, bound, gap, nodes."""
    parts = [f"{progress.stage:<6} {progress.elapsed_s:6.1f} s"]
    if progress.incumbent_usd is not None:
        parts.append(f"plan {progress.incumbent_usd / USD_PER_MUSD:,.2f} M USD")
    elif progress.stage == "solve":
        parts.append("no plan yet")
    if progress.incumbent is not None:
        signed = progress.incumbent.contracts
        parts.append(f"{len(signed)} contracts, {sum(item.critical_mw for item in signed):,.0f} MW")
    if progress.bound_usd is not None:
        parts.append(f"bound {progress.bound_usd / USD_PER_MUSD:,.2f} M USD")
    if progress.gap_frac is not None:
        parts.append(f"gap {progress.gap_frac:.2%}")
    if progress.node_count > 0:
        parts.append(f"{progress.node_count:,} nodes")
    return "   ".join(parts)


class ProgressDisplay:
    """Shows progress on a console."""

    def __init__(self, console: Console, live: Live | None) -> None:
        self._console, self._live = console, live
        self._last_stage, self._last_line = "", 0.0

    def __call__(self, progress: Progress) -> None:
        """Show one moment."""
        line = progress_line(progress)
        if self._live is not None:
            self._live.update(Text(line))
            return
        now = time.monotonic()
        if progress.stage != self._last_stage or now - self._last_line >= SECONDS_BETWEEN_LOG_LINES:
            self._console.print(line, markup=False, soft_wrap=True)
            self._last_stage, self._last_line = progress.stage, now


@contextmanager
def shown_progress(console: Console, *, quiet: bool) -> Iterator[ProgressDisplay | None]:
    """A display that is live on a terminal, lines elsewhere, and absent when quiet."""
    if quiet:
        yield None
    elif console.is_terminal:
        with Live(Text(""), console=console, refresh_per_second=8, transient=True) as live:
            yield ProgressDisplay(console, live)
    else:
        yield ProgressDisplay(console, None)
