"""``optimizer validate``."""

from __future__ import annotations

from typing import Annotated

from optimizer.cli.commands.plan import PORTFOLIO
from optimizer.cli.output import JSON_OPTION, console, print_json


def validate(
    portfolio: Annotated[str, PORTFOLIO],
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Check a portfolio and its series, and list the defaults it relies on.

    Examples:

      optimizer validate portfolio.yaml
    """
    from optimizer.app.filled_in import filled_in
    from optimizer.io import fingerprint, load_portfolio

    loaded = load_portfolio(portfolio)
    defaults = filled_in(loaded)
    counts = {
        "sites": len(loaded.sites),
        "asic_models": len(loaded.asic_models),
        "offers": len(loaded.offers),
        "gpu_options": len(loaded.gpu_options),
        "months": loaded.horizon.month_count,
        "periods": len(loaded.horizon.periods),
        "scenarios": loaded.risk.scenario_count,
    }
    if as_json:
        told = {item.path: item.value for item in defaults}
        print_json({"valid": True, "name": loaded.name, "sha256": fingerprint(loaded), **counts, "filled_in": told})
        return
    target = console()
    target.print(f"{loaded.name} is valid: " + ", ".join(f"{n:,} {kind}" for kind, n in counts.items()), markup=False)
    if defaults:
        target.print(f"{len(defaults)} defaults are filled in:")
        for item in defaults:
            target.print(f"  {item.path} = {item.value}", markup=False)
