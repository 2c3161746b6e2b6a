"""Statements that a planner may take back or ease one by one, in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from optimizer.app.changes import changed
from optimizer.domain.diagnosis import Statement
from optimizer.domain.policy import Placement
from optimizer.domain.portfolio import Portfolio
from optimizer.units import USD_PER_MUSD

PLENTY_USD: Final = 1e11
"""Cash that nobody runs out of."""


def _placed(item: Placement) -> str:
    at = f" at {item.site}" if item.site is not None else ""
    return f"{item.offer}{at}{f' in {item.sign_month:%Y-%m}' if item.sign_month is not None else ''}"


def _listed(item: Any) -> str:
    return f"{item.name} ({', '.join(item.offers)})"


WORDS: Final[Mapping[str, Callable[[Any], str]]] = MappingProxyType(
    {
        "policy.exclusive_groups": lambda item: f"at most {item.maximum_count} of the group {_listed(item)} is signed",
        "policy.all_or_nothing_groups": lambda item: f"the group {_listed(item)} is signed whole or not at all",
        "policy.mandatory": lambda item: f"{_placed(item)} must be signed",
        "policy.forbidden": lambda item: f"{_placed(item)} must not be signed",
        "policy.parallel_builds": lambda item: (
            f"at most {item.maximum_count} builds at a time{f' in {item.region}' if item.region else ''}"
        ),
        "policy.tenant_limits": lambda item: f"{item.tenant} has at most {item.maximum_share_frac:.0%} of the MW",
        "policy.country_limits": lambda item: f"{item.country} has at most {item.maximum_share_frac:.0%} of the MW",
        "policy.technology_limits": lambda item: (
            f"{item.use or item.manufacturer or ', '.join(item.asic_models)} has at most {item.maximum_share_frac:.0%}"
        ),
        "policy.domestic_share": lambda item: f"at least {item.minimum_share_frac:.0%} in {item.country}",
        "policy.minimum_hashrate": lambda item: f"at least {item.minimum_eh_s:g} EH/s",
        "policy.freeze_until_month": lambda item: f"nothing new is signed before {item:%Y-%m}",
        "policy.freeze_works_until_month": lambda item: f"no work at a site is decided before {item:%Y-%m}",
        "policy.freeze_orders_until_month": lambda item: f"nothing new is ordered or opened before {item:%Y-%m}",
        "policy.carbon": lambda item: f"carbon within its caps of {', '.join(str(cap.year) for cap in item.caps)}",
        "policy.contract_changes": lambda item: (
            f"each change against the previous plan brings {item.cost_usd_per_change:,.0f} USD or more"
            if item.maximum_count is None
            else f"at most {item.maximum_count} changes against the previous plan"
        ),
        "policy.mandatory_gpu_orders": lambda item: f"must do: {item.told}",
        "policy.mandatory_openings": lambda item: f"must do: {item.told}",
        "policy.mandatory_grid_advances": lambda item: f"must do: {item.told}",
        "policy.mandatory_hall_orders": lambda item: f"must do: {item.told}",
        "policy.mandatory_building_orders": lambda item: f"must do: {item.told}",
        "finance.capex_budgets": lambda item: (
            f"capex of {item.name} is at most {item.maximum_capex_usd / USD_PER_MUSD:,.1f} million USD"
        ),
        "finance.stresses": lambda item: f"cash stays above its floor in the stress {item.name}",
    }
)
"""What an item at a path says."""


@dataclass(frozen=True)
class Easing:
    """How a statement about money is eased by as little as it takes."""

    eased: Callable[[Portfolio, float], Portfolio]
    """The portfolio with so many USD more."""
    told: Callable[[float], str]
    """So many USD more, in words."""


@dataclass(frozen=True)
class Stated:
    """A statement of a portfolio."""

    statement: Statement
    dropped: Callable[[Portfolio], Portfolio]
    """The portfolio without it."""
    easing: Easing | None = None

    @property
    def taken_back(self) -> Statement:
        """The change that takes it back."""
        instead = "no longer" if self.easing is None else "more money than"
        return Statement(path=self.statement.path, told=f"{instead}: {self.statement.told}")


def statements_of(portfolio: Portfolio) -> Iterator[Stated]:
    """Everything that can be taken back: rules, budgets and stresses one by one, and that there is no more cash."""
    for path, words in WORDS.items():
        part, field = path.split(".")
        value = getattr(getattr(portfolio, part), field)
        if isinstance(value, tuple):
            for index, item in enumerate(value):
                yield Stated(
                    Statement(path=f"{path}[{index}]", told=words(item)), _without(path, item), _easing(path, item)
                )
        elif value is not None and (path != "policy.carbon" or value.caps):
            yield Stated(Statement(path=path, told=words(value)), _replaced(path, None))
    cash = portfolio.finance.opening_cash_usd / USD_PER_MUSD
    floor = portfolio.finance.minimum_liquidity_usd / USD_PER_MUSD
    told = f"there are {cash:,.1f} million USD of cash, of which {floor:,.1f} must stay"
    easing = Easing(_more_cash, lambda usd: f"bring {usd / USD_PER_MUSD:,.2f} million USD more cash")
    path = "finance.opening_cash_usd"
    yield Stated(Statement(path=path, told=told), lambda case: _more_cash(case, PLENTY_USD), easing)


def _without(path: str, item: Any) -> Callable[[Portfolio], Portfolio]:
    part, field = path.split(".")

    def dropped(case: Portfolio) -> Portfolio:
        kept = tuple(other for other in getattr(getattr(case, part), field) if other != item)
        return changed(case, {}, {path: kept})

    return dropped


def _replaced(path: str, value: Any) -> Callable[[Portfolio], Portfolio]:
    return lambda case: changed(case, {}, {path: value})


def _easing(path: str, item: Any) -> Easing | None:
    """Budgets can be raised by as little as it takes."""
    if path != "finance.capex_budgets":
        return None

    def eased(case: Portfolio, usd: float) -> Portfolio:
        raised = [
            other.model_copy(update={"maximum_capex_usd": other.maximum_capex_usd + usd}) if other == item else other
            for other in case.finance.capex_budgets
        ]
        return changed(case, {}, {path: tuple(raised)})

    told = f"raise the capex budget {item.name} by"
    return Easing(eased, lambda usd: f"{told} {usd / USD_PER_MUSD:,.2f} million USD")


def _more_cash(case: Portfolio, usd: float) -> Portfolio:
    return changed(case, {}, {"finance.opening_cash_usd": case.finance.opening_cash_usd + usd})
