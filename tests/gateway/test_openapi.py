"""The description of the calls: that it is whole, and that calls and answers are as it says."""

import json
import re
from importlib.resources import files

import pytest
import wire_cases
from console_calls import ask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from optimizer.domain import Portfolio
from optimizer.wire.convert import to_message
from optimizer.wire.http_rules import http_rules
from optimizer.wire.transcoding import json_data, query_fields

DESCRIPTION = json.loads((files("optimizer.api.v1") / "openapi.json").read_text())
OPERATIONS = {item["operationId"]: item for path in DESCRIPTION["paths"].values() for item in path.values()}
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def validator(schema):
    """What judges data by a schema of the description."""
    return Draft202012Validator({**schema, "components": DESCRIPTION["components"]})


def named(name):
    return validator({"$ref": f"#/components/schemas/{name}"})


def test_every_call_is_described_where_it_is():
    for rule in http_rules():
        operation = OPERATIONS[rule.method.name]
        assert operation["description"], rule.call
        stated = [item["name"] for item in operation["parameters"] if item["in"] == "query"]
        assert stated == [field.name for field in query_fields(rule)], rule.call
        assert ("requestBody" in operation) == bool(rule.body), rule.call
    assert len(OPERATIONS) == len(http_rules())
    for path, operations in DESCRIPTION["paths"].items():
        for operation in operations.values():
            in_path = [item["name"] for item in operation["parameters"] if item["in"] == "path"]
            assert re.findall(r"\{(\w+)\}", path) == in_path


def test_every_reference_leads_somewhere_and_every_schema_is_one():
    found = set(re.findall(r'"\$ref": "#/components/schemas/([^"/]+)', json.dumps(DESCRIPTION)))
    schemas = DESCRIPTION["components"]["schemas"]
    assert found == set(schemas)
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)
        assert schema["description"]


def test_a_portfolio_is_as_described_and_a_wrong_one_is_not():
    data = {"spec": json_data(to_message(Portfolio.model_validate(wire_cases.small_data())))}
    named("Portfolio").validate(data)
    assert not named("Portfolio").is_valid({"spec": {**data["spec"], "name": 1}})
    assert not named("Portfolio").is_valid({"spec": {**data["spec"], "sites": {}}})
    assert not named("CreatePlanMetadata").is_valid({"state": "PLAN_STATE_LOST"})
    assert not named("ThroughputCurveSpec").is_valid({})
    assert not named("ComputeThroughputCurveRequest").is_valid({"spek": {}})
    assert not named("BreakevenSpec").is_valid({"modes": [], "hashprice_usd_per_ph_day": [45]})


def test_a_question_and_its_answer_are_as_described(gateway):
    body = {"spec": json_data(to_message(wire_cases.throughput_spec()))}
    named("ComputeThroughputCurveRequest").validate(body)
    named("ComputeThroughputCurveResponse").validate(json.loads(ask(gateway, "/v1:computeThroughputCurve", body)[2]))


@pytest.mark.parametrize("path", ["/v1/plans/none", "/v1/plans?page_size=-1", "/v1/nothing"])
def test_errors_are_as_described(gateway, path):
    named("Error").validate(json.loads(ask(gateway, path)[2]))


def test_the_description_is_served(gateway):
    status, headers, content = ask(gateway, "/openapi.json")
    assert (status, headers["content-type"], json.loads(content)) == (200, "application/json", DESCRIPTION)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_is_sent_the_answer_is_as_described(gateway, data):
    """Each call with any query and any JSON: an answer or an error, both as described, and never one of the server's."""
    rule = data.draw(st.sampled_from([item for item in http_rules() if item.method.name != "GetServerStatus"]))
    path = rule.template
    for name, pattern in rule.variables:
        path = path.replace(f"{{{name}={pattern}}}", pattern.replace("**", "none").replace("*", "none"))
    names = st.sampled_from([field.name for field in query_fields(rule)] or ["any"])
    query = data.draw(st.dictionaries(names, st.text(st.characters(max_codepoint=126, min_codepoint=48), max_size=6)))
    if query:
        path += "?" + "&".join(f"{name}={re.sub('[^0-9A-Za-z]', '', value)}" for name, value in query.items())
    fields = [field.name for field in rule.method.input_type.fields] or ["any"]
    body = data.draw(st.dictionaries(st.sampled_from(fields), ANY_JSON, max_size=2) | ANY_JSON) if rule.body else None
    status, _, content = ask(gateway, path, body, verb=rule.verb)
    assert status < 500 or status == 501, (path, body, content)
    answer = json.loads(content.splitlines()[0])
    operation = OPERATIONS[rule.method.name]
    schema = operation["responses"]["200" if status == 200 else "default"]["content"]
    validator(next(iter(schema.values()))["schema"]).validate(answer)
