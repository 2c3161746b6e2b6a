"""From a program to a solution: HiGHS or another solver through Pyomo, with checked options, and endings as data."""

from optimizer.solve.best import in_stages, solve_program
from optimizer.solve.choices import groups_of, rounded
from optimizer.solve.dive import dive
from optimizer.solve.files import check_format, write_program
from optimizer.solve.highs import PRIMAL_TOLERANCE, solve_fixed
from optimizer.solve.linear import LinearPrograms
from optimizer.solve.live import ABSOLUTE_GAP_MUSD, LiveModel
from optimizer.solve.proof import with_objective
from optimizer.solve.pyomo_solvers import check_installed, solver_packages
from optimizer.solve.search import Search, Solution
from optimizer.solve.tree import Leaf, Tree
from optimizer.solve.weak_duality import further, most_gained_musd, narrowed_like, only_widens

__all__ = [
    "ABSOLUTE_GAP_MUSD",
    "PRIMAL_TOLERANCE",
    "Leaf",
    "LinearPrograms",
    "LiveModel",
    "Search",
    "Solution",
    "Tree",
    "check_format",
    "check_installed",
    "dive",
    "further",
    "groups_of",
    "in_stages",
    "most_gained_musd",
    "narrowed_like",
    "only_widens",
    "rounded",
    "solve_fixed",
    "solve_program",
    "solver_packages",
    "with_objective",
    "write_program",
]
