from __future__ import annotations

import pytest

from optimizer.app import plan
from optimizer.domain.plan import Plan
from optimizer.io import load_portfolio
from optimizer.report import render_report


@pytest.fixture(scope="session")
def tiny_plan() -> Plan:
    return plan(load_portfolio("tiny"))


@pytest.fixture(scope="session")
def tiny_page(tiny_plan: Plan) -> str:
    return render_report(tiny_plan)
