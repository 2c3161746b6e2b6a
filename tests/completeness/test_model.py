"""What every constraint family, account and module owes: a test, a docstring with its mathematics, a reader, a size."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import optimizer.domain
import optimizer.model.families as families
from optimizer.model.family import ACCOUNTS, ConstraintFamily
from optimizer.model.formulation import FORMULATION

TESTS = Path(__file__).parents[1]
PACKAGE = Path(optimizer.domain.__file__).parents[1]
MODULES = [item.name for item in pkgutil.iter_modules(families.__path__)]
MOST_LINES, MOST_FUNCTION_LINES = 400, 60
REASON = "(long: "
"""How the first lines of a long file begin to say why."""


def family_of(module):
    found = [item for item in vars(module).values() if isinstance(item, ConstraintFamily)]
    return {item.name: item for item in found}


@pytest.mark.parametrize("family", FORMULATION, ids=lambda item: item.name)
def test_every_family_has_its_module_its_test_and_its_docstring(family):
    module = importlib.import_module(f"optimizer.model.families.{family.name}")
    assert getattr(module, family.name.upper()) is family
    assert family.build.__module__ == module.__name__
    test = TESTS / "model" / "families" / f"test_{family.name}.py"
    assert test.exists(), test
    assert test.read_text().count("\ndef test_") >= 4
    text = module.__doc__ or ""
    assert ".. math::" in text
    assert re.search(r"^symbol +unit +meaning$", text, re.MULTILINE), "a table of symbols with units"
    assert re.search(r"\bDual\b", text, re.MULTILINE), "what the dual means"


def test_every_module_of_families_is_in_the_formulation():
    assert sorted(MODULES) == sorted(family.name for family in FORMULATION)


def test_no_test_is_of_a_family_that_is_gone():
    tests = {file.stem.removeprefix("test_") for file in (TESTS / "model" / "families").glob("test_*.py")}
    assert tests == set(MODULES)


def test_names_of_components_are_used_once():
    added = [name for family in FORMULATION for name in family.adds]
    assert len(added) == len(set(added))


def calls(path, method):
    """First string argument of every call of a method in a file; of ``use_within_limit`` the two accounts."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in method:
                yield from (
                    item.value for item in node.args if isinstance(item, ast.Constant) and item.value in ACCOUNTS
                )


def accounts_in(method):
    folder = Path(families.__path__[0])
    files = [*folder.glob("*.py"), folder.parent / "posting.py", folder.parent / "program.py"]
    return {name for file in files for name in calls(file, method)}


POSTED_IN_A_LOOP = {"halls_mw", "hashrate_eh_s"}
"""Posted by machines from a table of accounts."""


def test_every_account_is_posted_to_and_read():
    posted = accounts_in({"post", "post_by_site"})
    table = (Path(families.__path__[0]) / "mining_fleet.py").read_text()
    assert all(f'("{name}",' in table for name in POSTED_IN_A_LOOP)
    assert set(ACCOUNTS) - posted - POSTED_IN_A_LOOP == set()
    assert accounts_in({"close", "use_within_limit"}) == set(ACCOUNTS)


def test_the_domain_says_what_is_public():
    module = optimizer.domain
    public = {
        name
        for name, item in vars(module).items()
        if not name.startswith("_") and getattr(item, "__module__", "").startswith("optimizer.domain.")
    }
    assert set(module.__all__) == public
    assert list(module.__all__) == sorted(module.__all__)


def sources():
    return [
        file
        for file in sorted(PACKAGE.rglob("*.py"))
        if "api" not in file.relative_to(PACKAGE).parts and "__pycache__" not in file.parts
    ]


def test_long_files_say_why():
    silent = []
    for file in sources():
        lines = file.read_text().splitlines()
        if len(lines) > MOST_LINES and REASON not in "\n".join(lines[:10]):
            silent.append((str(file.relative_to(PACKAGE)), len(lines)))
    assert silent == []


def test_long_functions_say_why():
    silent = []
    for file in sources():
        text = file.read_text()
        lines = text.splitlines()
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or 0) - node.lineno + 1
                body = lines[node.lineno - 1 : node.end_lineno]
                if length > MOST_FUNCTION_LINES and not any(line.strip().startswith("#") for line in body[:25]):
                    silent.append((f"{file.relative_to(PACKAGE)}:{node.lineno} {node.name}", length))
    assert silent == []
