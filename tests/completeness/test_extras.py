"""Extras: what each one is for is what it installs, and where one is missing it is named."""

import re
import subprocess
import sys
import tomllib
from importlib import import_module
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from optimizer.extras import MODULES_OF, install_command, naming_extras

PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
EXTRAS = {name: stated for name, stated in PROJECT["optional-dependencies"].items() if name != "dev"}


def names(requirements):
    return {spelt(re.split(r"[\[<>=~! ]", text)[0]) for text in requirements} - {"capacity-optimizer"}


def spelt(name):
    return name.lower().replace("_", "-")


def test_every_extra_is_known_by_its_modules():
    assert set(MODULES_OF) == set(EXTRAS)


@pytest.mark.parametrize("extra", sorted(EXTRAS))
def test_modules_of_an_extra_are_those_of_its_packages(extra):
    packages = packages_distributions()
    assert {spelt(name) for module in MODULES_OF[extra] for name in packages[module]} == names(EXTRAS[extra])


def run_without(extras, script):
    """Run ``script`` as if the modules of ``extras`` were not installed."""
    gone = {module for extra in extras for module in MODULES_OF[extra]}
    finder = (
        "import sys\n"
        "class Gone:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name in {gone}:\n"
        "            raise ModuleNotFoundError(f'No module named {name!r}', name=name)\n"
        "sys.meta_path.insert(0, Gone())\n"
    )
    return subprocess.run([sys.executable, "-c", finder + script], capture_output=True, text=True)


def command(*arguments):
    return f"sys.argv = {['optimizer', *arguments]}\nfrom optimizer.cli import main\nmain()"


ALL = tuple(MODULES_OF)
BUT_PLAN = tuple(extra for extra in ALL if extra != "plan")


@pytest.mark.parametrize(
    ("missing", "script", "told"),
    [
        (ALL, command("--help"), "[plan]"),
        (ALL, "import optimizer as opt\nopt.plan", "[plan]"),
        (BUT_PLAN, command("template", "tiny", "--out", "/nowhere.xlsx"), "[workbook]"),
        (BUT_PLAN, command("serve", "--store", "temporary"), "[service]"),
        (BUT_PLAN, "import optimizer as opt\nopt.load('portfolio.xlsx')", "[workbook]"),
        (BUT_PLAN, "from optimizer.report.page import plotly_script\nplotly_script()", "[report]"),
    ],
    ids=["command", "planning", "template", "serve", "load", "report"],
)
def test_what_is_missing_is_told_by_the_extra_that_has_it(missing, script, told):
    done = run_without(missing, script)
    assert done.returncode != 0
    assert f"pip install 'capacity-optimizer{told}'" in done.stderr, done.stderr


def test_a_client_reads_portfolios_without_any_extra():
    script = "import optimizer as opt\nfrom optimizer.client import OptimizerClient\nprint(opt.load('us-miner').name)"
    done = run_without(ALL, script)
    assert done.stdout == "us-miner\n", done.stderr


def test_planning_needs_no_other_extra():
    done = run_without(BUT_PLAN, command("plan", "tiny", "--quiet"))
    assert done.returncode == 0, done.stderr
    assert "audit: passed" in done.stdout


@pytest.mark.parametrize("name", ["no_such_module", "plotly.no_such_module"])
def test_a_module_that_no_extra_would_bring_keeps_its_error(name):
    with pytest.raises(ModuleNotFoundError, match="no_such_module"), naming_extras():
        import_module(name)


def test_several_extras_are_installed_by_one_command():
    assert install_command("plot", "scip") == "pip install 'capacity-optimizer[plot,scip]'"
