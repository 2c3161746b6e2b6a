"""Files: portfolios in YAML, JSON and workbooks, hourly series in CSV and Parquet, plans in JSON, the report."""

from optimizer.io.plans import load_decisions, load_plan, npv_bound_usd, save_plan
from optimizer.io.portfolios import (
    canonical_json,
    dump_portfolio,
    dump_without_files,
    fingerprint,
    load_portfolio,
    parse_portfolio,
    portfolio_book,
    portfolio_schema,
    save_portfolio,
)
from optimizer.io.save import save, save_tables
from optimizer.io.text import check_writable, write_text, yaml_text

__all__ = [
    "canonical_json",
    "check_writable",
    "dump_portfolio",
    "dump_without_files",
    "fingerprint",
    "load_decisions",
    "load_plan",
    "load_portfolio",
    "npv_bound_usd",
    "parse_portfolio",
    "portfolio_book",
    "portfolio_schema",
    "save",
    "save_plan",
    "save_portfolio",
    "save_tables",
    "write_text",
    "yaml_text",
]
