"""The check of the site finds what it is for."""

import runpy
from pathlib import Path

import pytest

CHECK = runpy.run_path(str(Path(__file__).resolve().parents[2] / "docs" / "check_site.py"))


def problems(tmp_path, head="", body="", style=""):
    site = tmp_path / "site"
    (site / "there").mkdir(parents=True)
    (site / "index.html").write_text(f"<html><head>{head}</head><body>{body}</body></html>")
    (site / "there" / "index.html").write_text('<h1 id="place">There</h1><a href="../">back</a>')
    (site / "style.css").write_text(style)
    return CHECK["problems"](site)


def test_a_site_in_order_has_no_problem(tmp_path):
    body = '<a href="there/#place">in</a><a href="#own" id="own">own</a><a href="https://example.org">out</a>'
    head = '<link rel="stylesheet" href="style.css"><script src="data:,"></script>'
    assert problems(tmp_path, head, body, "a { background: url(data:,) }") == []


@pytest.mark.parametrize(
    ("head", "body", "style", "told"),
    [
        ('<script src="https://cdn.example/a.js"></script>', "", "", "index.html loads https://cdn.example/a.js"),
        ('<link href="//fonts.example/a.css">', "", "", "index.html loads //fonts.example/a.css"),
        ("", '<img src="http://a.example/a.png">', "", "index.html loads http://a.example/a.png"),
        ("", "", '@import "https://fonts.example/a.css";', "style.css loads https://fonts.example/a.css"),
        ("", "", "a { src: url(//fonts.example/a.woff) }", "style.css loads //fonts.example/a.woff"),
        ("", '<a href="nowhere/">no</a>', "", "index.html leads to nowhere/"),
        ("", '<a href="there/#nothing">no</a>', "", "index.html leads to there/#nothing"),
        ("", '<a href="#nothing">no</a>', "", "index.html leads to #nothing"),
    ],
)
def test_what_is_wrong_is_found(tmp_path, head, body, style, told):
    assert problems(tmp_path, head, body, style) == [told]
