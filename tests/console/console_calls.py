"""Calls of a console, or of a gateway, by tests."""

import json
import urllib.error
import urllib.request


def ask(server, path, body=None, verb=None, **headers):
    """Status, headers and content of a call; without a verb it is that of a form, or of a link."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    data = None if body is None else json.dumps(body).encode()
    if data is not None:
        given.setdefault("Content-Type", "application/json")
    request = urllib.request.Request(server.address + path, data, given, method=verb)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()
