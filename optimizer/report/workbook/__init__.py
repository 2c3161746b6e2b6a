"""A plan as sheets of the workbook of its portfolio: values beside formulas that add up to them."""

from optimizer.report.workbook.book import add_plan, write_plan_workbook

__all__ = ["add_plan", "write_plan_workbook"]
