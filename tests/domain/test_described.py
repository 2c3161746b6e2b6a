"""Docstrings of attributes as descriptions, beside those that pydantic itself reads."""

import inspect

import pytest
from pydantic import BaseModel, ConfigDict

import optimizer.domain as domain
from optimizer.domain.base import Value
from optimizer.domain.described import attribute_docs, described_fields

KINDS = [kind for kind in vars(domain).values() if inspect.isclass(kind) and issubclass(kind, Value)]


class Base(Value):
    kept_mw: float = 0.0
    """Told in the base."""
    changed_mw: float = 0.0
    """Told in the base, and again below."""


class Derived(Base):
    changed_mw: float = 1.0
    """Told
    in two lines."""
    untold_mw: float = 0.0


class Plain(BaseModel):
    """As pydantic reads it."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    kept_mw: float = 0.0
    """Told in the base."""
    changed_mw: float = 1.0
    """Told
    in two lines."""
    untold_mw: float = 0.0


def test_what_is_read_is_what_pydantic_reads():
    told = {name: info.description for name, info in described_fields(Derived).items()}
    assert told == {name: info.description for name, info in Plain.model_fields.items()}


def test_classes_in_functions_have_their_own():
    class Base(Value):
        kept_mw: float = 0.0
        """Told inside."""

    assert attribute_docs(Base) == {"kept_mw": "Told inside."}


def test_a_class_without_source_tells_nothing():
    made = type("Made", (Value,), {"__annotations__": {"mw": float}, "__module__": "nowhere", "mw": 0.0})
    assert attribute_docs(made) == {}


def test_the_schema_tells_what_the_source_tells():
    properties = Derived.model_json_schema()["properties"]
    assert properties["kept_mw"]["description"] == "Told in the base."
    assert "description" not in properties["untold_mw"]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_described_field_of_the_domain_is_so_in_its_schema(kind):
    properties = kind.model_json_schema()["properties"]
    assert {name: properties[name].get("description") for name in attribute_docs(kind)} == attribute_docs(kind)
