"""The documentation as a site: ``make docs`` builds it with Sphinx from these pages as they are.

Whatever is wrong on a page is an error. Nothing is loaded from the network: formulas are MathML, fonts the reader's.
"""

from __future__ import annotations

from typing import Any

from docutils import nodes
from docutils.utils.math.latex2mathml import MathError, tex2mathml
from sphinx.util.logging import getLogger

project = "capacity-optimizer"
html_title = project
language = "en"

extensions = ["myst_parser"]
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4
exclude_patterns = ["_site"]
suppress_warnings = ["misc.highlighting_failure"]  # examples of JSON leave things out

html_theme = "furo"
html_theme_options = {
    "light_css_variables": {"font-stack": "system-ui, sans-serif", "font-stack--monospace": "ui-monospace, monospace"},
}
html_math_renderer = "mathml"
html_copy_source = False
html_show_sphinx = False


def setup(app: Any) -> None:
    """Formulas as MathML, which browsers draw themselves."""
    app.add_html_math_renderer("mathml", inline_renderers=(_inline_formula, None), block_renderers=(_formula, None))


def _inline_formula(writer: Any, node: Any) -> None:
    _write(writer, node, as_block=False)


def _formula(writer: Any, node: Any) -> None:
    _write(writer, node, as_block=True)


def _write(writer: Any, node: Any, *, as_block: bool) -> None:
    try:
        writer.body.append(tex2mathml(node.astext(), as_block=as_block))
    except MathError as error:
        getLogger(__name__).warning("%s: %s", node.astext(), error, location=node)
    raise nodes.SkipNode
