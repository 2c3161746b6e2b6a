"""Sends mutations of valid messages, and bytes that are none, to every call of a service, and counts the answers.

Some hundreds are a test (``tests/service/test_fuzz.py``); many, from the root of the project::

    python tests/load/fuzz_service.py --count 100000 --seed 1
"""

from __future__ import annotations

import argparse
import contextlib
import inspect
import math
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

TESTS = Path(__file__).resolve().parents[1]
FOLDERS = [str(TESTS.parent), str(TESTS), str(TESTS / "wire"), str(TESTS / "service"), str(TESTS / "load")]
sys.path[:0] = [folder for folder in FOLDERS if folder not in sys.path]

import grpc  # noqa: E402
import question_cases  # noqa: E402
import wire_cases  # noqa: E402
from google.longrunning import operations_pb2  # noqa: E402
from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor  # noqa: E402
from google.protobuf.message import Message  # noqa: E402
from google.protobuf.message_factory import GetMessageClass  # noqa: E402

from optimizer.api.v1 import planning_service_pb2 as api  # noqa: E402
from optimizer.domain import Value  # noqa: E402
from optimizer.wire.convert import to_message  # noqa: E402

FORBIDDEN = {"INTERNAL", "UNKNOWN", "DATA_LOSS"}
METHODS: tuple[MethodDescriptor, ...] = (
    *api.DESCRIPTOR.services_by_name["PlanningService"].methods,
    *operations_pb2.DESCRIPTOR.services_by_name["Operations"].methods,
)
WORDS = (
    "",
    "x",
    "plans/",
    "plans/" + "0" * 32,
    "operations/" + "f" * 32,
    "portfolios/../..",
    "é\x00\n",
    "2027-01",
    "x" * 5000,
    "%s{0}",
    "-1",
)
NUMBERS = (0.0, -0.0, 1.0, -1.0, 0.5, 1e-300, 1e9, 1e300, -1e300, math.nan, math.inf, -math.inf)
INTEGERS = (0, 1, -1, 2, 7, 1000, 2**31 - 1, -(2**31), 2**63 - 1, -(2**63), 2**32 - 1, 2**64 - 1)
SHARE_OF_BYTES = 0.15
"""Of what is sent, so much is no message any more, or another one."""
DEADLINE_S = 5.0


def examples() -> dict[str, Message]:
    """A valid message of everything that is asked, by its type."""
    made: list[Value] = [wire_cases.rich_portfolio(), wire_cases.options()]
    for module in (wire_cases, question_cases):
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if name.endswith("_spec") and not inspect.signature(function).parameters:
                made.append(function())
    found = {}
    for value in made:
        message = to_message(value)
        found[message.DESCRIPTOR.full_name] = message
    return found


def valid(kind: type[Message], known: dict[str, Message]) -> Message:
    """A request whose parts are as they should be, as far as examples of them are known."""
    request = kind()
    for field in request.DESCRIPTOR.fields:
        if field.message_type is None or field.is_repeated:
            continue
        part = getattr(request, field.name)
        if field.message_type.full_name in known:
            part.CopyFrom(known[field.message_type.full_name])
        elif field.message_type.full_name.startswith("optimizer."):
            part.CopyFrom(valid(type(part), known))
    return request


def parts_of(message: Message) -> Iterator[Message]:
    """A message and all that is in it."""
    yield message
    for field, content in message.ListFields():
        if field.message_type is None or field.message_type.GetOptions().map_entry:
            continue
        for item in content if field.is_repeated else [content]:
            yield from parts_of(item)


def mutate(message: Message, draw: random.Random) -> None:
    """Change one field somewhere in a message."""
    part = draw.choice(list(parts_of(message)))
    if not part.DESCRIPTOR.fields:
        return
    field = draw.choice(part.DESCRIPTOR.fields)
    with contextlib.suppress(ValueError, TypeError):  # out of the range of its type: what cannot be written stays
        if draw.random() < 0.2:
            part.ClearField(field.name)
        elif field.is_repeated:
            _mutate_list(getattr(part, field.name), field, draw)
        elif field.message_type is not None:
            getattr(part, field.name).SetInParent()
        else:
            setattr(part, field.name, _scalar(field, draw))


def _mutate_list(items: Any, field: FieldDescriptor, draw: random.Random) -> None:
    if items and draw.random() < 0.5:
        del items[draw.randrange(len(items))]
    elif field.message_type is not None:
        items.add().CopyFrom(draw.choice(items)) if items else items.add()
    elif items and draw.random() < 0.5:
        items[draw.randrange(len(items))] = _scalar(field, draw)
    else:
        items.extend([_scalar(field, draw)] * draw.choice([1, 3, 300]))


def _scalar(field: FieldDescriptor, draw: random.Random) -> Any:
    match field.cpp_type:
        case FieldDescriptor.CPPTYPE_STRING:
            word = draw.choice(WORDS)
            return word.encode() if field.type == FieldDescriptor.TYPE_BYTES else word
        case FieldDescriptor.CPPTYPE_DOUBLE | FieldDescriptor.CPPTYPE_FLOAT:
            return draw.choice(NUMBERS)
        case FieldDescriptor.CPPTYPE_BOOL:
            return draw.random() < 0.5
        case FieldDescriptor.CPPTYPE_ENUM:
            return draw.choice([0, 1, 2, 3, 99, -1])
    return draw.choice(INTEGERS)


def broken(data: bytes, draw: random.Random) -> bytes:
    """Bytes with a few of them changed, taken out or put in."""
    changed = bytearray(data)
    for _ in range(draw.randint(1, 4)):
        place = draw.randrange(len(changed) + 1)
        match draw.randrange(3):
            case 0:
                changed[place : place + 1] = draw.randbytes(1)
            case 1:
                del changed[place : place + draw.randint(1, 20)]
            case 2:
                changed[place:place] = draw.randbytes(draw.randint(1, 20))
    return bytes(changed)


class Fuzzer:
    """Sends one request after another."""

    def __init__(self, channel: grpc.Channel, seed: int, deadline_s: float = DEADLINE_S) -> None:
        self._channel, self._draw, self._deadline_s = channel, random.Random(seed), deadline_s
        known = examples()
        self._valid = {method.full_name: valid(GetMessageClass(method.input_type), known) for method in METHODS}
        self.codes: Counter[str] = Counter()
        self.failures: list[tuple[str, str, bytes]] = []
        """Method, answer and request of what must not be."""
        self.slowest: tuple[float, str, bytes] = (0.0, "", b"")

    def send(self, method: MethodDescriptor) -> None:
        """Send a mutation of a request of a method."""
        request = type(self._valid[method.full_name])()
        request.CopyFrom(self._valid[method.full_name])
        for _ in range(self._draw.choice([0, 1, 1, 1, 2, 5])):
            mutate(request, self._draw)
        data = request.SerializeToString()
        if self._draw.random() < SHARE_OF_BYTES:
            data = broken(data, self._draw)
        begin = time.monotonic()
        code, told = self._answer(method, data)
        self.slowest = max(self.slowest, (time.monotonic() - begin, method.name, data))
        self.codes[code] += 1
        if code in FORBIDDEN:
            self.failures.append((method.name, told, data))

    def run(self, count: int, methods: Sequence[MethodDescriptor] = METHODS) -> None:
        """Send so many, to the methods in turn."""
        for number in range(count):
            self.send(methods[number % len(methods)])

    def _answer(self, method: MethodDescriptor, data: bytes) -> tuple[str, str]:
        kind = "_".join(
            "stream" if streams else "unary" for streams in (method.client_streaming, method.server_streaming)
        )
        call: Callable[..., Any] = getattr(self._channel, kind)(f"/{method.containing_service.full_name}/{method.name}")
        try:
            answer = call(iter([data, data]) if method.client_streaming else data, timeout=self._deadline_s)
            if method.server_streaming:
                self._read(answer)
        except grpc.RpcError as error:
            return error.code().name, error.details()
        return "OK", ""

    def _read(self, answers: Any) -> None:
        """Read a stream to its end, or leave it after a while as somebody does who vanishes."""
        for number, _ in enumerate(answers):
            if number == 2 and self._draw.random() < 0.5:
                answers.cancel()
                return


def main() -> None:
    from measure_service import service

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--deadline", type=float, default=DEADLINE_S, help="seconds that a call may take")
    asked = parser.parse_args()
    begin = time.monotonic()
    with service("fake_targets:quick", 1) as (port, _), grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        fuzzer = Fuzzer(channel, asked.seed, asked.deadline)
        for lot in range(0, asked.count, 1000):
            fuzzer.run(min(1000, asked.count - lot))
            print(f"{lot + 1000:7} in {time.monotonic() - begin:.0f} s: {dict(fuzzer.codes)}", flush=True)
    for method, told, data in fuzzer.failures[:20]:
        print(method, told, data.hex()[:2000])
    print(f"{len(fuzzer.failures)} failures; slowest {fuzzer.slowest[0]:.1f} s in {fuzzer.slowest[1]}")
    raise SystemExit(1 if fuzzer.failures else 0)


if __name__ == "__main__":
    main()
