"""A plan as one HTML page that needs no network: what to do, what it is worth, how far it is proven."""

from optimizer.report.page import render_report, write_report

__all__ = ["render_report", "write_report"]
