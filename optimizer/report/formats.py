"""Numbers, months and lists as people read them, with their units; and escaping for HTML and for scripts."""

from __future__ import annotations

import datetime as dt
import html
import json
import math
import re
from collections.abc import Iterable, Sequence

from optimizer.units import USD_PER_MUSD

SPACE = "\u00a0"
"""A space that does not break, between a number and its unit."""
MINUS = "\u2212"
_MONTH = re.compile(r"(?<![\w-])(\d{4}-(?:0[1-9]|1[0-2]))(?![\w-])")
_LEAST_MUSD = 1e5
"""Below this many dollars, millions with one digit would say too little."""
_LEAST_GAP_PERCENT = 1e-4


def escape(text: object) -> str:
    """Text that came from data, safe in HTML content and in quoted attributes."""
    return html.escape(str(text), quote=True)


def prose(text: object) -> str:
    """Text that came from data, safe in HTML content; months are marked as times, which do not break."""
    return _MONTH.sub(r'<time datetime="\1">\1</time>', escape(text))


def chart_text(text: str) -> str:
    """Text that came from data, safe in a chart, whose labels understand a few HTML tags."""
    return html.escape(text, quote=False)


def script_json(data: object) -> str:
    """JSON that cannot end the script element it stands in."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def money(usd: float) -> str:
    """Dollars: ``$121.8M``, ``−$5.0M``, ``$12,300``."""
    sign = MINUS if usd <= -0.5 else ""
    size = abs(usd)
    if size < _LEAST_MUSD:
        return f"{sign}${size:,.0f}"
    digits = 1 if size < 1e4 * USD_PER_MUSD else 0
    return f"{sign}${size / USD_PER_MUSD:,.{digits}f}M"


def number(value: float, unit: str = "", digits: int = 1) -> str:
    """A number with at most ``digits`` decimals, and its unit."""
    text = f"{value:,.{digits}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    if text in ("-0", ""):
        text = "0"
    return text.replace("-", MINUS) + (SPACE + unit if unit else "")


def mw(value: float) -> str:
    """Megawatts."""
    return number(value, "MW")


def count(value: float, one: str, many: str | None = None) -> str:
    """``1 contract``, ``1,200 machines``; machines need not be whole."""
    whole = round(value)
    return f"{whole:,d}{SPACE}{one if whole == 1 else many or one + 's'}"


def percent(frac: float, digits: int = 1) -> str:
    """A fraction as a percentage."""
    return number(100.0 * frac, "%", digits)


def gap(frac: float) -> str:
    """A relative gap as a percentage with as many digits as it has to say."""
    size = 100.0 * abs(frac)
    if size < _LEAST_GAP_PERCENT:
        return f"less than {number(_LEAST_GAP_PERCENT, '%', 4)}"
    return number(100.0 * frac, "%", 1 - math.floor(math.log10(size)) if size < 1.0 else 1)


def month(value: dt.date) -> str:
    """A month as ``2027-04``."""
    return f"{value:%Y-%m}"


def seconds(value: float) -> str:
    """Wall time."""
    return number(value, "s", 2 if value < 10.0 else 0)


def significant(value: float) -> str:
    """A small or large number with three significant digits, as deviations are."""
    if value == 0:
        return "0"
    magnitude = math.floor(math.log10(abs(value)))
    if -4 < magnitude < 7:
        return number(value, digits=max(0, 2 - magnitude))
    return f"{value:.3g}".replace("e-0", "e-").replace("e+0", "e").replace("-", MINUS)


def listed(items: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}" if items else ""


def sentences(parts: Iterable[str]) -> str:
    """The parts that say something, in one paragraph."""
    return " ".join(part for part in parts if part)
