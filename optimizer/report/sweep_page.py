"""A sweep as one HTML page that needs no network."""

from __future__ import annotations

from pathlib import Path

from optimizer.domain.sweep import Sweep
from optimizer.io.text import write_text
from optimizer.report.formats import count, escape, gap, listed, money, prose
from optimizer.report.page import navigation, page
from optimizer.report.sweep_sections import sweep_sections


def write_sweep(name: str, answer: Sweep, path: str | Path) -> None:
    """Write a sweep of the portfolio of a name as one HTML file."""
    write_text(Path(path), render_sweep(name, answer))


def render_sweep(name: str, answer: Sweep) -> str:
    """A sweep as one HTML page."""
    parts = sweep_sections(answer)
    base = "has no plan" if answer.base_npv_usd is None else f"is worth {money(answer.base_npv_usd)}"
    header = (
        f'<header>\n<p class="eyebrow">Plans of {escape(name)} under other assumptions</p>\n'
        f"<h1>{escape(f'As stated it {base}')}</h1>\n"
        f'<p class="lead">{prose(sweep_in_words(answer))}</p>\n{navigation(parts)}</header>\n'
    )
    return page(f"{name}: plans under other assumptions", header, parts, lambda _: "")


def sweep_in_words(answer: Sweep) -> str:
    """What was searched, and what moves the worth most."""
    tried = [point for point in answer.points if point.npv_usd is not None]
    said = f"{count(len(answer.points), 'point')} searched, {len(tried)} with a plan"
    if answer.unreached:
        said += f"; {count(len(answer.unreached), 'point')} not reached"
    told = [f"{said}."]
    if tried:
        least, most = (pick(point.npv_usd or 0.0 for point in tried) for pick in (min, max))
        widest = max((point.gap_frac for point in tried if point.gap_frac is not None), default=None)
        held = "" if widest is None else f", each within a gap of {gap(widest)} or less"
        told.append(f"The plans are worth {money(least)} to {money(most)}{held}.")
    if answer.tornado:
        first = answer.tornado[0]
        told.append(f"{first.path} alone moves the worth most: by {first.difference.told}.")
    always = set.intersection(*({*point.signed} for point in tried)) if tried else set()
    if always:
        told.append(f"Signed at every point: {listed(sorted(always))}.")
    return " ".join(told)
