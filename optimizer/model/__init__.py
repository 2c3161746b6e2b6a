"""From a portfolio and its futures to a mixed-integer program."""
