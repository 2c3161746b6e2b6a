r"""Own GPU clusters that bill less for every further block at a site.

.. math::
   \sum_{k \ge 2} x_{g,s,u,k} \ge \sum_{m \,\mathrm{live\,in}\, u} n_{g,s,m} - w_{g,1}
   \quad \forall g,s,u \qquad\qquad 0 \le x_{g,s,u,k} \le w_{g,k}

======================================  =======  =========================================================
symbol                                  unit     meaning
======================================  =======  =========================================================
:math:`x_{g,s,u,k}`                     blocks   blocks of option *g* at site *s* in tranche *k*, while the orders of stretch *u* are live
:math:`n_{g,s,m}`                       blocks   blocks ordered in month *m*
:math:`w_{g,k}`                         blocks   blocks of the tranche; those of the first bill in full
======================================  =======  =========================================================

A block of tranche *k* loses :math:`(1 - \mathrm{share}_k)` of the expected billing of a block. As shares fall, the tranches fill
in order by themselves. A stretch is the months between one change of the orders that are live and the next, so it holds month
by month whatever the periods are. Blocks that are refreshed are counted apart, with their own billing, in ``scaled_refreshed_blocks``.

Dual of ``scaled_blocks_counted``: NPV of one more block that bills in full, in the months of the stretch.
"""

from __future__ import annotations

from optimizer.model.family import ConstraintFamily
from optimizer.model.gpu_scale import ScaledBlocks
from optimizer.model.posting import month_key, post_cash, post_earnings
from optimizer.model.problem import PlanningProblem
from optimizer.model.program import Program, Triplets


def build(program: Program, problem: PlanningProblem) -> None:
    """State the family."""
    _count(program, problem, "scaled_blocks", problem.scaled_blocks, "gpu_blocks")
    _count(program, problem, "scaled_refreshed_blocks", problem.scaled_refreshed_blocks, "refreshed_gpu_blocks")


def _count(program: Program, problem: PlanningProblem, name: str, scaled: ScaledBlocks, blocks: str) -> None:
    """Blocks of one generation."""
    portfolio = problem.portfolio
    keys = [
        (portfolio.gpu_options[g].name, portfolio.sites[s].name, month_key(problem, first), int(block))
        for g, s, first, block in zip(scaled.option, scaled.site, scaled.first_month, scaled.from_block, strict=True)
    ]
    columns = program.add_variables(name, keys, upper=scaled.most_blocks, site=scaled.site).columns
    ordered, terms = program.variables[blocks].columns, Triplets()
    terms.add(scaled.row, columns, 1.0)
    for row, live in enumerate(scaled.live):
        terms.add(row, ordered[live], -1.0)
    rows = list(dict.fromkeys(key[:3] for key in keys))
    program.add_rows(f"{name}_counted", rows, terms, lower=-scaled.full_blocks)
    if scaled.count:
        post_cash(program, problem, "gpu", columns, -scaled.lost_musd)
        post_earnings(program, problem, "gpu", columns, -scaled.lost_musd)


GPU_SCALE = ConstraintFamily(
    "gpu_scale",
    ("gpu_blocks", "refreshed_gpu_blocks"),
    ("scaled_blocks", "scaled_blocks_counted", "scaled_refreshed_blocks", "scaled_refreshed_blocks_counted"),
    build,
)
