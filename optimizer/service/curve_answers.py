"""Curves as the service answers them: message in, message out, one at a time or many in a stream."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from optimizer.domain.cluster_curves import ClusterCurveSpec, ClusterValueSpec
from optimizer.domain.curves import BreakevenSpec, HashingCurveSpec, ThroughputCurveSpec
from optimizer.domain.market_answers import MarketCalibrationSpec, MarketFanSpec
from optimizer.domain.merit_order import MeritOrderSpec
from optimizer.domain.network_curves import NetworkCurveSpec
from optimizer.domain.portfolio import Portfolio
from optimizer.service.resources import complete
from optimizer.wire.convert import parse, to_message
from optimizer.wire.errors import to_status

ResponseT = TypeVar("ResponseT")


def hashing_curve(spec: Any) -> Any:
    """The ``HashingCurve`` message to a ``HashingCurveSpec`` message."""
    from optimizer.app import curves  # the first call loads the curve engine, not the server

    return to_message(curves.hashing_curve(parse(HashingCurveSpec, spec, "spec")))


def throughput_curve(spec: Any) -> Any:
    """The ``ThroughputCurve`` message to a ``ThroughputCurveSpec`` message."""
    from optimizer.app import curves

    return to_message(curves.throughput_curve(parse(ThroughputCurveSpec, spec, "spec")))


def mode_breakevens(spec: Any) -> Any:
    """The ``ModeBreakevens`` message to a ``BreakevenSpec`` message."""
    from optimizer.app import curves

    return to_message(curves.mode_breakevens(parse(BreakevenSpec, spec, "spec")))


def merit_order(spec: Any) -> Any:
    """The ``MeritOrder`` message to a ``MeritOrderSpec`` message."""
    from optimizer.app import merit_order

    question = parse(MeritOrderSpec, spec, "spec")
    return to_message(merit_order.site_merit_order(question.model_copy(update=_complete(question))))


def cluster_curve(spec: Any) -> Any:
    """The ``ClusterCurve`` message to a ``ClusterCurveSpec`` message."""
    from optimizer.app import cluster_curves

    return to_message(cluster_curves.cluster_curve(parse(ClusterCurveSpec, spec, "spec")))


def cluster_value(spec: Any) -> Any:
    """The ``ClusterValue`` message to a ``ClusterValueSpec`` message."""
    from optimizer.app import cluster_curves

    return to_message(cluster_curves.cluster_value(parse(ClusterValueSpec, spec, "spec")))


def network_curve(spec: Any) -> Any:
    """The ``NetworkCurve`` message to a ``NetworkCurveSpec`` message."""
    from optimizer.app import network_curves

    return to_message(network_curves.network_curve(parse(NetworkCurveSpec, spec, "spec")))


def market_calibration(spec: Any) -> Any:
    """The ``MarketCalibration`` message to a ``MarketCalibrationSpec`` message."""
    from optimizer.app import market

    return to_message(market.calibrate_market(parse(MarketCalibrationSpec, spec, "spec")))


def market_fan(spec: Any) -> Any:
    """The ``MarketFan`` message to a ``MarketFanSpec`` message."""
    from optimizer.app import market

    question = parse(MarketFanSpec, spec, "spec")
    return to_message(market.market_fan(question.model_copy(update=_complete(question))))


def _complete(question: MeritOrderSpec | MarketFanSpec) -> dict[str, Portfolio]:
    """The portfolio of a question with what the library has of it."""
    return {"portfolio": complete(question.portfolio)}


def each(
    requests: Iterator[Any], answer: Callable[[Any], Any], response: Callable[..., ResponseT]
) -> Iterator[ResponseT]:
    """Answer every question before the next one is read, so that a stream needs the memory of one question.

    What is wrong with a question is its answer; an error of the stream itself, as its cancellation, ends it.
    """
    for request in requests:
        try:
            result = {"curve": answer(request.spec)}
        except Exception as error:
            result = {"error": to_status(error)}
        yield response(key=request.key, **result)
