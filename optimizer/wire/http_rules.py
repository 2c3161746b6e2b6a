"""Which request of HTTP is which call: the ``google.api.http`` annotations of the protos, as one table.

A path template is of literals and variables, ``/v1/{name=plans/*}:stop``: a ``*`` is one segment, ``**`` any number.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from google.api.annotations_pb2 import http

OFFERED: Final = ("optimizer.api.v1.PlanningService", "google.longrunning.Operations")
"""The services that are to be had over HTTP."""
WHOLE: Final = "*"
"""The body of a rule whose request is all in it."""
_VARIABLE: Final = re.compile(r"\{(\w+)(?:=([^}]*))?\}")
_WILDCARDS: Final = {"*": "[^/:]+", "**": "[^:]+"}


@dataclass(frozen=True, slots=True)
class HttpRule:
    """Where a call is in HTTP."""

    method: Any
    """The descriptor of the call."""
    verb: str
    """``GET`` and the like."""
    template: str
    """Its path."""
    body: str
    """The field of the request that is the body; :data:`WHOLE` for the request itself, empty for none."""

    @property
    def call(self) -> str:
        """``/optimizer.api.v1.PlanningService/GetPlan``."""
        return f"/{self.method.containing_service.full_name}/{self.method.name}"

    @property
    def variables(self) -> tuple[tuple[str, str], ...]:
        """Fields of the request that are in the path, each with the pattern of what it may be."""
        return tuple((name, pattern or "*") for name, pattern in _VARIABLE.findall(self.template))

    def matched(self, path: str) -> dict[str, str] | None:
        """The variables that a path has; nothing if it is not of this rule."""
        found = _pattern(self.template).fullmatch(path)
        return None if found is None else found.groupdict()


def rules_of(services: Iterable[Any]) -> tuple[HttpRule, ...]:
    """The rule of every call of services that has one, in their order, from the descriptors of the services."""
    methods = [method for service in services for method in service.methods]
    return tuple(_rule(method) for method in methods if method.GetOptions().HasExtension(http))


@cache
def http_rules() -> tuple[HttpRule, ...]:
    """The rules of what is offered."""
    from google.longrunning import operations_pb2  # here, so that what generates these modules can do without them

    from optimizer.api.v1 import planning_service_pb2

    pool = planning_service_pb2.DESCRIPTOR.pool
    assert operations_pb2.DESCRIPTOR.pool is pool
    return rules_of(pool.FindServiceByName(name) for name in OFFERED)


def rules_at(path: str) -> dict[str, tuple[HttpRule, dict[str, str]]]:
    """By verb: the rules of a path, each with the variables that it finds there."""
    return {rule.verb: (rule, variables) for rule in http_rules() if (variables := rule.matched(path)) is not None}


def _rule(method: Any) -> HttpRule:
    stated = method.GetOptions().Extensions[http]
    verb = stated.WhichOneof("pattern")
    return HttpRule(method, verb.upper(), getattr(stated, verb), stated.body)


@cache
def _pattern(template: str) -> re.Pattern[str]:
    expression, position = "", 0
    for variable in _VARIABLE.finditer(template):
        segments = [_WILDCARDS.get(part, re.escape(part)) for part in (variable[2] or "*").split("/")]
        expression += f"{re.escape(template[position : variable.start()])}(?P<{variable[1]}>{'/'.join(segments)})"
        position = variable.end()
    return re.compile(expression + re.escape(template[position:]))
