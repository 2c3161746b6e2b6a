"""Who may call over HTTP, from where, and what the server needs before it lets others than this machine call."""

import json
import ssl
import subprocess
import urllib.request

import pytest
from console_calls import ask

from optimizer.client.credentials import TLS_CA
from optimizer.errors import InvalidInputError, ServiceError
from optimizer.gateway import GatewayServer
from optimizer.gateway.guard import SECURITY_HEADERS, Guard
from optimizer.service.security import Security
from optimizer.service.server import Server


@pytest.mark.parametrize(
    ("headers", "passes"),
    [
        ({"host": "127.0.0.1:80"}, True),
        ({"host": "localhost:80", "origin": "http://localhost:80", "sec-fetch-site": "same-origin"}, True),
        ({"host": "planner.example"}, False),
        ({"host": "127.0.0.1.planner.example:80"}, False),
        ({"host": "[::1]:80"}, True),
        ({"host": "[::1]"}, True),
        ({}, False),
        ({"host": "127.0.0.1:80", "origin": "http://planner.example"}, False),
        ({"host": "127.0.0.1:80", "origin": "http://127.0.0.1:81"}, False),
        ({"host": "127.0.0.1:80", "origin": "null"}, False),
        ({"host": "127.0.0.1:80", "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}, False),
        ({"host": "127.0.0.1:80", "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}, True),
    ],
)
def test_only_this_machine_and_its_own_page_may_call(headers, passes):
    assert (Guard(None).refused(headers) is None) == passes


def test_a_server_for_others_answers_to_any_name_and_to_its_own_pages():
    guard = Guard(None, (), scheme="https")
    assert guard.refused({"host": "plans.example", "origin": "https://plans.example"}) is None
    assert guard.refused({"host": "plans.example", "origin": "http://plans.example"}) is not None


def test_only_the_pages_that_are_named_may_call(gateway, page):
    status, headers, _ = ask(gateway, "/v1/plans", Origin=page, Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="cors")
    assert (status, headers["access-control-allow-origin"]) == (200, page)
    status, headers, content = ask(gateway, "/v1/plans", Origin="https://other.example")
    assert (status, json.loads(content)["error"]["status"]) == (403, "PERMISSION_DENIED")
    assert "access-control-allow-origin" not in headers


def test_a_browser_that_asks_first_is_told_what_it_may(gateway, page):
    asks = {"Access_Control_Request_Method": "DELETE", "Access_Control_Request_Headers": "authorization,content-type"}
    status, headers, _ = ask(gateway, "/v1/plans/x", verb="OPTIONS", Origin=page, **asks)
    assert (status, headers["access-control-allow-origin"]) == (200, page)
    assert "DELETE" in headers["access-control-allow-methods"]
    assert ask(gateway, "/v1/plans/x", verb="OPTIONS", Origin="https://other.example", **asks)[0] == 403


def test_without_named_pages_none_may_call(service, page):
    with GatewayServer(f"127.0.0.1:{service.port}") as alone:
        assert ask(alone, "/v1/plans", Origin=page)[0] == 403
        assert "access-control-allow-origin" not in ask(alone, "/v1/plans")[1]


def test_every_answer_carries_what_guards_it(gateway):
    for path in ("/v1/plans", "/v1/plans/none", "/elsewhere"):
        sent = {name.lower(): value for name, value in ask(gateway, path)[1].items()}
        assert {name.lower(): value for name, value in SECURITY_HEADERS.items()}.items() <= sent.items()
    assert sent["cache-control"] == "no-cache"
    assert ask(gateway, "/v1/plans")[1]["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("listen", "security", "path"),
    [
        ("0.0.0.0:0", Security(), "http"),
        ("0.0.0.0:0", Security(tokens=True), "http"),
        ("8081", Security(), "http"),
        ("127.0.0.1:99999", Security(), "http"),
        ("unix:/tmp/none", Security(), "http"),
    ],
)
def test_other_machines_are_not_let_in_by_accident(listen, security, path):
    with pytest.raises(InvalidInputError) as caught:
        GatewayServer("127.0.0.1:1", listen, security)
    assert [problem.path for problem in caught.value.problems] == [path]


def test_a_port_that_is_taken_is_told(gateway):
    with pytest.raises(ServiceError, match=rf"127.0.0.1:{gateway.port}.*in use"):
        GatewayServer("127.0.0.1:1", f"127.0.0.1:{gateway.port}")


def test_with_the_certificates_of_the_service_it_is_encrypted(tmp_path, monkeypatch):
    certificate, key = tmp_path / "own.pem", tmp_path / "own.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-keyout", key, "-out", certificate, "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    security = Security(certificate, key)
    monkeypatch.setenv(TLS_CA, str(certificate))
    with (
        Server("127.0.0.1:0", workers=0, security=security) as service,
        GatewayServer(f"127.0.0.1:{service.port}", security=security) as gateway,
    ):
        assert gateway.address.startswith("https://")
        trust = ssl.create_default_context(cafile=str(certificate))
        with urllib.request.urlopen(f"{gateway.address}/v1/plans", timeout=20, context=trust) as answer:
            assert (answer.status, answer.read()) == (200, b"{}")
        key.write_text("no key")
        with pytest.raises(InvalidInputError, match=r"tls_certificate: .*cannot be used"):
            GatewayServer("127.0.0.1:1", security=security)
