"""The description of the JSON over HTTP (OpenAPI 3.1): paths from ``google.api.http``, all else from the protos' words.

What a request needs, and that it may have no more, is told of messages that are in requests only: answers may leave
things out, and will have more one day.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from described import Described
from google.api.field_behavior_pb2 import OUTPUT_ONLY, REQUIRED, field_behavior
from google.longrunning.operations_pb2 import operation_info
from google.protobuf.descriptor import FieldDescriptor

from optimizer.wire.http_rules import OFFERED, WHOLE, HttpRule, rules_of
from optimizer.wire.transcoding import query_fields

OWN: Final = "optimizer.api.v1."
JSON: Final = "application/json"
LINES: Final = "application/x-ndjson"
_SCALARS: Final = {
    FieldDescriptor.TYPE_DOUBLE: {"type": "number", "format": "double"},
    FieldDescriptor.TYPE_FLOAT: {"type": "number", "format": "float"},
    FieldDescriptor.TYPE_INT64: {"type": "string", "format": "int64"},
    FieldDescriptor.TYPE_UINT64: {"type": "string", "format": "uint64"},
    FieldDescriptor.TYPE_INT32: {"type": "integer", "format": "int32"},
    FieldDescriptor.TYPE_UINT32: {"type": "integer", "format": "uint32"},
    FieldDescriptor.TYPE_BOOL: {"type": "boolean"},
    FieldDescriptor.TYPE_STRING: {"type": "string"},
    FieldDescriptor.TYPE_BYTES: {"type": "string", "format": "byte"},
}
_WELL_KNOWN: Final[dict[str, dict[str, Any]]] = {
    "google.protobuf.Timestamp": {"type": "string", "format": "date-time"},
    "google.protobuf.Duration": {"type": "string", "pattern": r"^-?\d+(\.\d+)?s$"},
    "google.protobuf.Any": {"type": "object", "properties": {"@type": {"type": "string"}}, "required": ["@type"]},
    "google.protobuf.Empty": {"type": "object"},
}
"""Messages whose JSON is not an object of their fields."""
_ERROR: Final = {
    "description": "Why there is no answer; `details` has what is wrong with the input as a `google.rpc.BadRequest`.",
    "type": "object",
    "properties": {
        "error": {
            "type": "object",
            "properties": {
                "code": {"type": "integer", "description": "The code of HTTP."},
                "message": {"type": "string"},
                "status": {"type": "string", "description": "The name of the `google.rpc.Code`."},
                "details": {"type": "array", "items": _WELL_KNOWN["google.protobuf.Any"]},
            },
            "required": ["code", "message", "status", "details"],
        }
    },
    "required": ["error"],
}
_INTRODUCTION: Final = (
    "Fields are named as in the protos; requests may write `camelCase`. 64-bit integers are strings, and what is not "
    "stated is left out."
)


def openapi(protos: Described) -> str:
    """The description as a file."""
    return json.dumps(_Description(protos).whole(), indent=1, ensure_ascii=False) + "\n"


class _Description:
    def __init__(self, protos: Described) -> None:
        self._protos = protos
        self._rules = rules_of(map(protos.pool.FindServiceByName, OFFERED))
        self._schemas: dict[str, dict[str, Any]] = {"Error": _ERROR}
        answers = [rule.method.output_type for rule in self._rules]
        self._answered = _reached([*answers, protos.pool.FindMessageTypeByName(f"{OWN}Plan")])

    def whole(self) -> dict[str, Any]:
        paths: dict[str, dict[str, Any]] = {}
        for rule in self._rules:
            paths.setdefault(_path(rule), {})[rule.verb.lower()] = self._operation(rule)
        service = self._protos.pool.FindServiceByName(OFFERED[0])
        return {
            "openapi": "3.1.0",
            "info": {
                "title": "capacity-optimizer",
                "version": "v1",
                "description": f"{self._protos.comment(service)}\n\n{_INTRODUCTION}",
                "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            },
            "servers": [{"url": "/"}],
            "security": [{}, {"token": []}],
            "paths": paths,
            "components": {
                "schemas": dict(sorted(self._schemas.items())),
                "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            },
        }

    def _operation(self, rule: HttpRule) -> dict[str, Any]:
        told = self._protos.comment(rule.method)
        media = LINES if rule.method.server_streaming else JSON
        found: dict[str, Any] = {
            "operationId": rule.method.name,
            "tags": [rule.method.containing_service.name],
            "summary": told.partition(". ")[0].rstrip("."),
            "description": told,
            "parameters": [*_path_parameters(rule), *map(self._query_parameter, query_fields(rule))],
        }
        if rule.body:
            found["requestBody"] = self._body(rule)
        found["responses"] = {
            "200": {"description": "The answer.", "content": {media: {"schema": self._answer(rule)}}},
            "default": {"description": "An error.", "content": {JSON: {"schema": _reference("Error")}}},
        }
        return found

    def _body(self, rule: HttpRule) -> dict[str, Any]:
        message = rule.method.input_type
        if rule.body != WHOLE:
            field = message.fields_by_name[rule.body]
            return {"required": True, "content": {JSON: {"schema": self._message(field.message_type)}}}
        in_path = {name for name, _ in rule.variables}
        if not set(message.fields_by_name) - in_path:  # nothing is left to be said
            return {"content": {JSON: {"schema": {"type": "object", "additionalProperties": False}}}}
        return {"required": True, "content": {JSON: {"schema": self._message(message)}}}

    def _answer(self, rule: HttpRule) -> dict[str, Any]:
        schema = self._message(rule.method.output_type)
        if rule.method.GetOptions().HasExtension(operation_info):
            return self._operation_answer(schema, rule.method.GetOptions().Extensions[operation_info])
        if not rule.method.server_streaming:
            return schema
        line = {"result": schema, "error": {"$ref": "#/components/schemas/Error/properties/error"}}
        return {"type": "object", "description": "A line of the stream.", "properties": line}

    def _operation_answer(self, schema: dict[str, Any], info: Any) -> dict[str, Any]:
        """An operation with what its protos say that it packs."""
        packed = {"metadata": info.metadata_type, "response": info.response_type}
        find = self._protos.pool.FindMessageTypeByName
        return {"allOf": [schema, {"properties": {name: self._message(find(OWN + of)) for name, of in packed.items()}}]}

    def _query_parameter(self, field: Any) -> dict[str, Any]:
        schema = self._value(field)
        schema = {"type": "array", "items": schema} if field.is_repeated else schema
        return {"name": field.name, "in": "query", "description": self._protos.comment(field), "schema": schema}

    def _message(self, message: Any) -> dict[str, Any]:
        if message.full_name in _WELL_KNOWN:
            return _WELL_KNOWN[message.full_name]
        name = _short(message)
        if name not in self._schemas:
            self._schemas[name] = {}  # a message may hold itself
            self._schemas[name] = self._object(message)
        return _reference(name)

    def _object(self, message: Any) -> dict[str, Any]:
        choices = [
            ", ".join(f"`{field.name}`" for field in one.fields) for one in message.oneofs if len(one.fields) > 1
        ]
        told = [self._protos.comment(message), *(f"At most one of {names}." for names in choices)]
        found = {
            "description": "\n\n".join(part for part in told if part),
            "type": "object",
            "properties": {field.name: self._field(field) for field in message.fields},
        }
        if message.full_name not in self._answered:
            needed = [field for field in message.fields if REQUIRED in _behaviour(field)]
            for field in needed:
                if field.is_repeated:
                    found["properties"][field.name]["minItems"] = 1
            found |= {"required": [field.name for field in needed]} if needed else {}
            found["additionalProperties"] = False
        return found

    def _field(self, field: Any) -> dict[str, Any]:
        told: dict[str, Any] = {"description": self._protos.comment(field)} if self._protos.comment(field) else {}
        if OUTPUT_ONLY in _behaviour(field):
            told["readOnly"] = True
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            value = field.message_type.fields_by_name["value"]
            return {**told, "type": "object", "additionalProperties": self._value(value)}
        if field.is_repeated:
            return {**told, "type": "array", "items": self._value(field)}
        return {**self._value(field), **told}

    def _value(self, field: Any) -> dict[str, Any]:
        if field.enum_type is not None:
            return self._enum(field.enum_type)
        if field.message_type is not None:
            return self._message(field.message_type)
        return dict(_SCALARS[field.type])

    def _enum(self, enum: Any) -> dict[str, Any]:
        name = _short(enum)
        values = [f"- `{value.name}`: {self._protos.comment(value)}" for value in enum.values]
        self._schemas[name] = {
            "description": "\n".join([self._protos.comment(enum), "", *values]),
            "type": "string",
            "enum": [value.name for value in enum.values],
        }
        return _reference(name)


def _reached(messages: list[Any]) -> set[str]:
    """Names of messages, and of all that are in them."""
    found: set[str] = set()
    while messages:
        message = messages.pop()
        if message.full_name not in found:
            found.add(message.full_name)
            messages += [field.message_type for field in message.fields if field.message_type is not None]
    return found


def _behaviour(field: Any) -> list[int]:
    return list(field.GetOptions().Extensions[field_behavior])


def _short(thing: Any) -> str:
    return str(thing.full_name).removeprefix(OWN)


def _reference(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _path(rule: HttpRule) -> str:
    """``/v1/plans/{plan}:stop`` for ``/v1/{name=plans/*}:stop``."""
    path = rule.template
    for name, pattern in rule.variables:
        path = path.replace(f"{{{name}={pattern}}}", re.sub(r"\*+", f"{{{_singular(pattern)}}}", pattern))
    return path


def _path_parameters(rule: HttpRule) -> list[dict[str, Any]]:
    return [
        {"name": _singular(pattern), "in": "path", "required": True, "schema": {"type": "string"},
         "description": f"What follows `{pattern.rstrip('*')}` in its name."}
        for _, pattern in rule.variables
        if "*" in pattern
    ]  # fmt: skip


def _singular(pattern: str) -> str:
    """``plan`` for ``plans/*``."""
    return pattern.partition("/")[0].removesuffix("s")
