"""The page in a real browser: a plan from the example to its files, on a phone, and by keyboard alone."""

import json

import pytest
from chromium import CHROMIUM

from optimizer.console import ConsoleServer
from optimizer.console.routes import PAGE
from optimizer.io import dump_portfolio, load_plan, load_portfolio
from optimizer.service.database import Database
from optimizer.service.security import Security
from optimizer.service.server import Server
from optimizer.service.tokens import Scope, Tokens

pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the path")]
PHONE = 360


@pytest.fixture(scope="module")
def console():
    with Server("127.0.0.1:0", workers=1) as service, ConsoleServer(f"127.0.0.1:{service.port}") as running:
        yield running


def chosen(browser, selector, value):
    """Choose in a list, as a click would."""
    browser.value(
        f"(() => {{ const list = document.querySelector({json.dumps(selector)}); list.value = {json.dumps(value)};"
        " list.dispatchEvent(new Event('change', { bubbles: true })); })()"
    )


def clicked(browser, text):
    """Click the first button or link of a text."""
    find = "[...document.querySelectorAll('button, a')].find((item) => item.innerText.trim() === %s)"
    browser.wait(find % json.dumps(text))
    browser.value(f"{find % json.dumps(text)}.click()")


def begun(browser, console):
    """The form of ``tiny``."""
    browser.open(f"{console.address}/#/plans")
    browser.wait("document.querySelector('h1')?.innerText === 'Plans'")
    browser.open(f"{console.address}/#/portfolios")
    browser.wait("document.querySelectorAll('select[name=example] option').length > 1")
    chosen(browser, "select[name=example]", "tiny")
    shown(browser, "tiny is loaded.")


def stated(browser, path, value):
    """State a number in the form."""
    browser.value(
        f"(() => {{ const field = document.getElementById({json.dumps(path)}); field.value = {value};"
        " field.dispatchEvent(new Event('change', { bubbles: true })); })()"
    )


def shown(browser, text):
    browser.wait(f"document.body.innerText.includes({json.dumps(text)})")


@pytest.fixture(scope="module")
def planned(browser, console):
    """The page of the plan of ``tiny``, made in the browser."""
    browser.look(1200)
    browser.open(f"{console.address}/")
    clicked(browser, "Make the first")
    begun(browser, console)
    clicked(browser, "Plan")
    browser.wait("location.hash.startsWith('#/plans/')")
    browser.wait("document.querySelector('#chart-progress.js-plotly-plot')")
    shown(browser, "Better plans, as they were found")
    browser.wait("document.querySelector('.files')")
    return browser


def test_a_plan_is_watched_and_read(planned):
    shown(planned, "better than mining on")
    planned.wait("document.querySelectorAll('.chart').length === document.querySelectorAll('.js-plotly-plot').length")
    assert planned.value("document.querySelectorAll('.js-plotly-plot').length") > 8
    assert planned.value("document.title") == "Plan · Planning console"
    shown(planned, "The plan of tiny is done.")
    assert planned.complaints == []


def test_its_files_are_downloaded(planned):
    clicked(planned, "Report")
    assert b"Capacity plan of tiny" in planned.downloaded(".html").read_bytes()
    clicked(planned, "Workbook")
    assert planned.downloaded(".xlsx").read_bytes().startswith(b"PK")
    planned.value("document.querySelector('.files li:last-child button').click()")
    assert load_plan(planned.downloaded(".json")).audit.passed
    assert planned.complaints == []


def test_an_assumption_is_dragged_planned_again_and_compared(planned):
    base = planned.value("location.hash")
    planned.wait("document.querySelector('#paths option[value=\"offers[chip-lab].price_usd_per_kw_month\"]')")
    planned.value(
        "(() => { const slider = document.querySelector('input[name=factor]'); slider.value = 0.9;"
        " slider.dispatchEvent(new Event('input', { bubbles: true })); })()"
    )
    assert planned.value("document.querySelector('input[name=factor]').getAttribute('aria-valuetext')") == "times 0.90"
    clicked(planned, "Plan again")
    planned.wait("location.hash.includes('/beside/') && document.querySelector('#questions')")
    planned.wait(f"'#/' + document.querySelector('select[name=other]').value === {json.dumps(base)}")
    clicked(planned, "Compare")
    shown(planned, "less than the other; both keep every limit")
    path, value, other_value = planned.value(
        "[...document.querySelectorAll('[aria-label=\"Assumptions that differ\"] tbody tr > *')].map((item) => item.innerText)"
    )
    assert (path, "85500" in value, "95000" in other_value) == ("market.btc_usd", True, True)
    planned.value(f"location.hash = {json.dumps(base)}")
    planned.wait("!location.hash.includes('beside') && document.querySelector('#questions')")
    assert planned.complaints == []


def test_why_an_offer_is_not_signed(planned):
    chosen(planned, "select[name=offer]", "cheap-lease")
    clicked(planned, "Ask")
    shown(planned, "cheap-lease is not signed: signing it loses between")
    assert planned.value("document.querySelector('.answer + ul, .answer + .table')") is not None
    assert planned.complaints == []


def test_what_the_best_plan_so_far_does_is_a_table(planned):
    """Drawn from a message as the server sends it; a search of tiny is over before one can look."""
    contract = {
        "offer": "colo",
        "site": "Pecos",
        "sign_month": {"year": 2027, "month": 2, "day": 1},
        "critical_mw": 40.4,
    }
    use = {"site": "Pecos", "year": "2028", "mining_mw": 12.2, "hosting_mw": 52.0, "gpu_mw": 0.0}
    drawn = (
        "Promise.all([import('/incumbent.js'), import('/vendor/lit-html/lit-html.js')]).then(([tables, lit]) => {"
        " const place = document.createElement('div'); document.body.append(place);"
        " lit.render(tables.incumbentTables(%s), place); const said = place.innerText; place.remove(); return said; })"
    )
    said = planned.value(drawn % json.dumps({"contracts": [contract], "use": [use]}))
    assert "colo\tPecos\t2027-02\t40" in said
    assert "12 MW mining, 52 MW contracts" in said
    assert "own GPUs" in said
    assert planned.value(drawn % "undefined") == ""


def test_every_page_fits_a_phone_in_the_dark(planned):
    planned.look(PHONE, dark=True)
    for page in (planned.value("location.hash"), "#/plans", "#/portfolios"):
        planned.value(f"location.hash = {json.dumps(page)}")
        planned.wait("document.querySelector('.files, .cards, select')")
        assert planned.value("document.documentElement.scrollWidth") <= PHONE, page
        assert planned.value("getComputedStyle(document.body).backgroundColor") == "rgb(18, 22, 28)"
    planned.look(1200)
    assert planned.complaints == []


def test_a_plan_is_asked_for_by_keyboard_alone(browser, console):
    browser.open(f"{console.address}/#/portfolios")
    browser.wait("document.querySelectorAll('select[name=example] option').length > 2")
    for key in reached(browser, "document.activeElement.name === 'example'"):
        browser.press(key)
    browser.press("ArrowDown")
    shown(browser, "tiny is loaded.")
    for key in reached(browser, "document.activeElement.id === 'name'"):
        browser.press(key)
    browser.type("keyboard")  # another portfolio than that of the tests before, whose plan is there already
    browser.press("Enter")
    for key in reached(browser, "document.activeElement.innerText === 'Plan'"):
        browser.press(key)
    assert browser.value("document.activeElement.matches(':focus-visible')")
    assert browser.value("location.hash") == "#/portfolios"
    browser.press("Enter")
    browser.wait("location.hash.startsWith('#/plans/')")
    for key in reached(browser, "document.activeElement.innerText === 'Discard'"):
        browser.press(key)
    browser.press("Space")
    shown(browser, "The plan of keyboard is discarded.")
    assert browser.complaints == []


def reached(browser, there, most=60):
    """Tabs until something has the focus."""
    for _ in range(most):
        if browser.value(there):
            return
        yield "Tab"
    raise AssertionError(f"never reached: {there}")


def test_a_mistake_is_shown_beside_its_field_and_in_words(browser, console):
    begun(browser, console)
    stated(browser, "sites[0].hall_mw", -5)
    clicked(browser, "Check")
    browser.wait("document.getElementById('sites[0].hall_mw').getAttribute('aria-invalid') === 'true'")
    assert browser.value("document.getElementById('sites[0].hall_mw').closest('details').open")
    shown(browser, "-5 MW is outside 0..100,000 MW")
    assert browser.value("document.querySelector('[role=alert] code').innerText") == "sites[0].hall_mw"
    stated(browser, "sites[0].hall_mw", 95)
    clicked(browser, "Check")
    shown(browser, "The assumptions can be planned with.")
    assert browser.value("document.querySelector('[aria-invalid=true]')") is None
    browser.complaints.clear()  # the browser tells of every call that is refused


def test_the_form_and_the_text_are_the_same_statements(browser, console):
    begun(browser, console)
    stated(browser, "offers[1].price_usd_per_kw_month", 99)
    clicked(browser, "Text")
    browser.wait("document.querySelector('textarea[name=text]')")
    written = json.loads(browser.value("document.querySelector('textarea[name=text]').value"))
    expected = dump_portfolio(load_portfolio("tiny"))
    expected["offers"][1]["price_usd_per_kw_month"] = 99
    assert written == expected
    del written["description"]
    written["sites"][0]["name"] = "Renamed"
    browser.value(
        f"(() => {{ const text = document.querySelector('textarea[name=text]'); text.value = {json.dumps(json.dumps(written))};"
        " text.dispatchEvent(new Event('input', { bubbles: true })); })()"
    )
    clicked(browser, "Form")
    browser.wait("document.getElementById('sites[0].name')?.value === 'Renamed'")
    assert browser.value("document.getElementById('description')") is None
    chosen(browser, ".form > .add select", "description")
    browser.value("document.querySelector('.form > .add button').click()")
    browser.wait("document.getElementById('description')")
    browser.value("document.querySelector('[aria-label=\"Remove offers[1]\"]').click()")
    browser.wait("[...document.querySelectorAll('summary')].some((item) => item.innerText === 'Offers (2)')")
    clicked(browser, "Check")
    shown(browser, "no site is named 'Pecos'")
    browser.complaints.clear()


def test_a_token_is_asked_for_once(browser, tmp_path):
    store = f"sqlite:///{tmp_path / 'store.db'}"
    with Server("127.0.0.1:0", workers=0, security=Security(tokens=True), store=store) as service:
        with Database(store, exclusive=False) as database:
            secret = Tokens(database).create("planner", Scope.PLAN, None)[1]
        with ConsoleServer(f"127.0.0.1:{service.port}") as console:
            browser.open(f"{console.address}/")
            browser.wait("document.querySelector('input[name=token]')")
            browser.value("document.querySelector('input[name=token]').focus()")
            browser.type(secret)
            browser.press("Enter")
            shown(browser, "There is no plan yet.")
            assert secret not in browser.value("document.documentElement.outerHTML + document.cookie + location.href")
            assert browser.value("Object.values(sessionStorage)") == [secret]
    browser.complaints.clear()


def test_what_is_vendored_is_as_it_was_published():
    import hashlib

    folder = PAGE / "vendor"
    stated = json.loads((folder / "vendor.json").read_text())
    for package in stated:
        files = {str(path.relative_to(folder / package["name"])) for path in (folder / package["name"]).rglob("*.*")}
        assert files == package["sha256"].keys() - {"LICENSE"}
        for name, digest in package["sha256"].items():
            assert hashlib.sha256((folder / package["name"] / name).read_bytes()).hexdigest() == digest, name
