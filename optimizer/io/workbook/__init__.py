"""Portfolios as workbooks: one sheet a kind of thing, derived from the domain's classes; read as data, never run."""

from optimizer.io.workbook.read import WorkbookData, read_workbook
from optimizer.io.workbook.write import changed_book, new_book, save_book, write_workbook

__all__ = ["WorkbookData", "changed_book", "new_book", "read_workbook", "save_book", "write_workbook"]
