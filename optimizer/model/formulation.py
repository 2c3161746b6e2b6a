"""The formulation: every constraint family, in the order in which they are stated."""

from __future__ import annotations

from typing import Final

from optimizer.model.families.buildings import BUILDINGS
from optimizer.model.families.capex_budget import CAPEX_BUDGET
from optimizer.model.families.carbon import CARBON
from optimizer.model.families.concentration import CONCENTRATION
from optimizer.model.families.contract_changes import CONTRACT_CHANGES
from optimizer.model.families.contract_start import CONTRACT_START
from optimizer.model.families.corporate_tax import CORPORATE_TAX
from optimizer.model.families.domestic_share import DOMESTIC_SHARE
from optimizer.model.families.enterprise_value import ENTERPRISE_VALUE
from optimizer.model.families.gpu_blocks import GPU_BLOCKS
from optimizer.model.families.gpu_refresh import GPU_REFRESH
from optimizer.model.families.gpu_scale import GPU_SCALE
from optimizer.model.families.hall_capacity import HALL_CAPACITY
from optimizer.model.families.hall_expansion import HALL_EXPANSION
from optimizer.model.families.interconnect_advance import INTERCONNECT_ADVANCE
from optimizer.model.families.lease_end import LEASE_END
from optimizer.model.families.liquidity import LIQUIDITY
from optimizer.model.families.minimum_hashrate import MINIMUM_HASHRATE
from optimizer.model.families.mining_fleet import MINING_FLEET
from optimizer.model.families.offer_groups import OFFER_GROUPS
from optimizer.model.families.order_placements import ORDER_PLACEMENTS
from optimizer.model.families.parallel_builds import PARALLEL_BUILDS
from optimizer.model.families.placements import PLACEMENTS
from optimizer.model.families.power_balance import POWER_BALANCE
from optimizer.model.families.project_debt import PROJECT_DEBT
from optimizer.model.families.sell_back import SELL_BACK
from optimizer.model.families.site_opening import SITE_OPENING
from optimizer.model.families.stress_liquidity import STRESS_LIQUIDITY
from optimizer.model.families.tail_risk import TAIL_RISK
from optimizer.model.families.technology_limits import TECHNOLOGY_LIMITS
from optimizer.model.families.work_placements import WORK_PLACEMENTS
from optimizer.model.family import ConstraintFamily

FORMULATION: Final[tuple[ConstraintFamily, ...]] = (
    # decisions: they declare variables and post to the ledger
    SITE_OPENING,
    INTERCONNECT_ADVANCE,
    HALL_EXPANSION,
    CONTRACT_START,
    LEASE_END,
    BUILDINGS,  # closes the space of the contracts above
    PROJECT_DEBT,  # needs the starts, closes debt_musd
    GPU_BLOCKS,
    GPU_REFRESH,
    GPU_SCALE,
    MINING_FLEET,
    SELL_BACK,
    CARBON,  # needs all that uses energy
    CORPORATE_TAX,  # closes the income of all of them
    # shared limits: they close accounts
    POWER_BALANCE,
    HALL_CAPACITY,
    CAPEX_BUDGET,
    LIQUIDITY,
    STRESS_LIQUIDITY,  # states all above again in every stress
    ENTERPRISE_VALUE,  # closes earnings, needs cash
    TAIL_RISK,  # closes the NPV
    # the owner's rules
    OFFER_GROUPS,
    PLACEMENTS,
    ORDER_PLACEMENTS,
    WORK_PLACEMENTS,
    PARALLEL_BUILDS,
    CONCENTRATION,
    TECHNOLOGY_LIMITS,
    DOMESTIC_SHARE,
    MINIMUM_HASHRATE,
    CONTRACT_CHANGES,
)
"""Order is meaning: a family may only need what stands above it, and an account may not be posted to once it is
closed."""
