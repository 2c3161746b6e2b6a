"""Benchmarks: contenders timed side by side in one run, their results compared, the machine's limits beside them."""
