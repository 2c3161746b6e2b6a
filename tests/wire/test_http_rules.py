"""Which request of HTTP is which call: every call has a place, and no place has two calls."""

import pytest
from google.api.annotations_pb2 import http

from optimizer.api.v1 import planning_service_pb2
from optimizer.wire.http_rules import WHOLE, http_rules, rules_at

PLANNING = planning_service_pb2.DESCRIPTOR.services_by_name["PlanningService"]


def test_every_call_that_does_not_stream_its_requests_has_a_path():
    """A new call needs a ``google.api.http`` in planning_service.proto; over HTTP a stream of requests cannot be had."""
    missing = [method.name for method in PLANNING.methods if not method.GetOptions().HasExtension(http)]
    assert missing == [method.name for method in PLANNING.methods if method.client_streaming]


def test_every_rule_is_of_a_kind_that_is_read():
    for rule in http_rules():
        stated = rule.method.GetOptions().Extensions[http]
        assert not stated.additional_bindings, rule.call
        assert not stated.response_body, rule.call
        assert rule.verb in {"GET", "POST", "DELETE"}, rule.call
        fields = rule.method.input_type.fields_by_name
        assert rule.body in {"", WHOLE, *fields}, rule.call
        assert bool(rule.body) == (rule.verb == "POST"), rule.call
        assert {name for name, _ in rule.variables} <= set(fields), rule.call
        assert not rule.method.client_streaming, rule.call


def test_no_two_calls_are_in_one_place():
    places = [(rule.verb, rule.template) for rule in http_rules()]
    assert len(set(places)) == len(places)
    for rule in http_rules():  # what stands for a variable is of one rule only
        path = rule.template
        for name, pattern in rule.variables:
            path = path.replace(f"{{{name}={pattern}}}", pattern.replace("**", "a").replace("*", "a"))
        matching = [other for other in http_rules() if other.matched(path) is not None and other.verb == rule.verb]
        assert matching == [rule]


@pytest.mark.parametrize(
    ("verb", "path", "call", "variables"),
    [
        ("GET", "/v1/plans", "ListPlans", {}),
        ("GET", "/v1/plans/1f", "GetPlan", {"name": "plans/1f"}),
        ("GET", "/v1/plans/1f:watch", "WatchPlan", {"name": "plans/1f"}),
        ("POST", "/v1/plans/1f:stop", "StopPlan", {"name": "plans/1f"}),
        ("POST", "/v1/plans:evaluate", "EvaluatePlan", {}),
        ("DELETE", "/v1/portfolios/1f", "DeletePortfolio", {"name": "portfolios/1f"}),
        ("POST", "/v1:computeHashingCurve", "ComputeHashingCurve", {}),
        ("GET", "/v1/operations/1f", "GetOperation", {"name": "operations/1f"}),
        ("POST", "/v1/operations/1f:cancel", "CancelOperation", {"name": "operations/1f"}),
    ],
)
def test_a_path_leads_to_its_call(verb, path, call, variables):
    rule, found = rules_at(path)[verb]
    assert (rule.method.name, found) == (call, variables)


@pytest.mark.parametrize(
    "path", ["/v1", "/v1/", "/v1/plan", "/v1/plans/", "/v1/plans/a/b", "/v1/plans/a:b:stop", "/v1/plans/a:go"]
)
def test_other_paths_lead_nowhere(path):
    assert rules_at(path) == {}
