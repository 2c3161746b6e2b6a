"""From a program to a solution: HiGHS, with checked options and termination as data."""

from optimizer.solve.dive import dive
from optimizer.solve.highs import Search, Solution, solve_fixed, solve_program

__all__ = ["Search", "Solution", "dive", "solve_fixed", "solve_program"]
