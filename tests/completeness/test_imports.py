"""What an import loads, by the modules that are there afterwards: a clock would measure the machine."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import optimizer
import optimizer.client

HEAVY = {
    "google.protobuf",
    "grpc",
    "highspy",
    "numpy",
    "pandas",
    "plotly",
    "pyarrow",
    "pydantic",
    "pyomo",
    "rich",
    "scipy",
    "typer",
    "yaml",
}
SOLVING = {"highspy", "optimizer.app", "optimizer.model", "optimizer.solve", "pandas", "plotly", "pyomo", "scipy"}


def loaded_after(statement):
    script = f"import sys\n{statement}\nprint(sorted(sys.modules))"
    return set(
        ast.literal_eval(
            subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
        )
    )


@pytest.mark.parametrize("module", ["optimizer", "optimizer.client"])
def test_a_package_loads_nothing_before_it_is_used(module):
    assert HEAVY & loaded_after(f"import {module}") == set()


@pytest.mark.parametrize("name", ["OptimizerClient", "HashingCurveSpec"])
def test_the_client_in_use_loads_no_solver_and_no_frames(name):
    loaded = loaded_after(f"from optimizer.client import {name}")
    assert "pydantic" in loaded
    assert SOLVING & loaded == set()


def test_loading_a_portfolio_loads_no_solver_no_charts_and_no_arrays():
    loaded = loaded_after("import optimizer; optimizer.load('tiny')")
    assert {"highspy", "numpy", "pandas", "plotly", "pyomo"} & loaded == set()


def test_an_import_of_the_domain_reads_no_source_and_builds_few_validators():
    """Both took longer than everything else; what is built is what other classes have as a default."""
    script = "import optimizer.domain as d, optimizer.domain.described as r\n"
    script += "built = [v for v in vars(d).values() if getattr(v, '__pydantic_complete__', False)]\n"
    script += "assert len(built) < 8, built\nassert not r._classes_of.cache_info().currsize"
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.parametrize("module", [optimizer, optimizer.client])
def test_lazy_names_are_those_of_the_type_checker(module):
    tree = ast.parse(Path(module.__file__).read_text())
    guarded = next(node for node in tree.body if isinstance(node, ast.If))
    imported = {alias.asname or alias.name for node in guarded.body for alias in node.names}
    assert imported == set(module.__all__)
    assert module.__all__ == sorted(module.__all__)
    for name in module.__all__:
        assert getattr(module, name).__name__.endswith(name if name != "load" else "load_portfolio")
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = module.nonsense
