"""From a request of HTTP to the message of its call, and from messages and statuses to JSON.

JSON is the mapping of proto3, with the fields named as in the protos: 64-bit integers are strings, months are
``{"year", "month", "day"}``, what is not stated is left out. Requests may write ``camelCase`` as well.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message_factory import GetMessageClass
from google.rpc.code_pb2 import Code
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

from optimizer.errors import InvalidInputError, did_you_mean
from optimizer.wire.http_rules import WHOLE, HttpRule

HTTP_CODES: Final[Mapping[int, int]] = MappingProxyType(
    {
        Code.OK: 200,
        Code.INVALID_ARGUMENT: 400,
        Code.FAILED_PRECONDITION: 400,
        Code.OUT_OF_RANGE: 400,
        Code.UNAUTHENTICATED: 401,
        Code.PERMISSION_DENIED: 403,
        Code.NOT_FOUND: 404,
        Code.ABORTED: 409,
        Code.ALREADY_EXISTS: 409,
        Code.RESOURCE_EXHAUSTED: 429,
        Code.CANCELLED: 499,
        Code.UNIMPLEMENTED: 501,
        Code.UNAVAILABLE: 503,
        Code.DEADLINE_EXCEEDED: 504,
        Code.UNKNOWN: 500,
        Code.INTERNAL: 500,
        Code.DATA_LOSS: 500,
    }
)
"""HTTP's number for the codes of the service, as Google's APIs have it."""
_TRUTH: Final = {"true": True, "false": False}


def request_message(rule: HttpRule, variables: Mapping[str, str], query: Iterable[tuple[str, str]], body: bytes) -> Any:
    """The request of a call: its body, then what the query states, then what the path does.

    Raises:
        InvalidInputError: the body is not JSON of this request, or the query names what it does not have.
    """
    message = GetMessageClass(rule.method.input_type)()
    if rule.body:
        target = message if rule.body == WHOLE else getattr(message, rule.body)
        target.SetInParent()
        _parse(body or b"{}", target)
    elif body:
        raise InvalidInputError.single("", "the call has no body", "leave it out", "request")
    _read_query(rule, query, message)
    for name, value in variables.items():
        setattr(message, name, value)
    return message


def json_text(message: Any) -> str:
    """A message as JSON on one line."""
    return json.dumps(json_data(message), ensure_ascii=False, separators=(",", ":"))


def json_data(message: Any) -> dict[str, Any]:
    """A message as what its JSON is made of."""
    found: dict[str, Any] = json_format.MessageToDict(message, preserving_proto_field_name=True)
    return found


def status_data(status: Status) -> dict[str, Any]:
    """A status as AIP-193 has it in JSON, below ``error``."""
    told = {"code": HTTP_CODES[status.code], "message": status.message, "status": Code.Name(status.code)}
    return {**told, "details": json_data(status).get("details", [])}


def retry_after_s(status: Status) -> float | None:
    """When a caller may come again, if the status says so."""
    retry = RetryInfo()
    found = any(detail.Is(RetryInfo.DESCRIPTOR) and detail.Unpack(retry) for detail in status.details)
    return retry.retry_delay.ToMilliseconds() / 1000.0 if found else None


def query_fields(rule: HttpRule) -> tuple[Any, ...]:
    """The fields of a request that the query may state: all that are neither in the path nor the body."""
    if rule.body == WHOLE:
        return ()
    taken = {rule.body, *(name for name, _ in rule.variables)}
    return tuple(field for field in rule.method.input_type.fields if field.name not in taken)


def _parse(body: bytes, message: Any) -> None:
    if not body.lstrip().startswith(b"{"):
        raise InvalidInputError.single("", "the body is not an object", "send a JSON object", "request")
    try:
        json_format.Parse(body, message)
    except (json_format.ParseError, UnicodeDecodeError) as error:
        raise InvalidInputError.single("", f"the body is wrong: {error}", "correct it there", "request") from None


def _read_query(rule: HttpRule, query: Iterable[tuple[str, str]], message: Any) -> None:
    known = {name: field for field in query_fields(rule) for name in (field.name, field.json_name)}
    stated: dict[str, list[str]] = {}
    for name, value in query:
        if name not in known:
            fix = did_you_mean(name, known) or f"known are {', '.join(sorted(known)) or 'none'}"
            raise InvalidInputError.single(name, "is not a parameter of this call", fix.strip(" ;"), "request")
        stated.setdefault(known[name].name, []).append(value)
    for name, values in stated.items():
        field = known[name]
        if len(values) > 1 and not field.is_repeated:
            raise InvalidInputError.single(name, f"is stated {len(values)} times", "state it once", "request")
        read = [_value(field, value) for value in values]
        try:
            json_format.ParseDict({name: read if field.is_repeated else read[0]}, message)
        except json_format.ParseError as error:
            raise InvalidInputError.single(name, f"{values[0]!r} is wrong: {error}", "", "request") from None


def _value(field: Any, text: str) -> Any:
    return _TRUTH.get(text, text) if field.type == FieldDescriptor.TYPE_BOOL else text
