"""Questions about curves and markets, one at a time and in streams.

Generated from ``optimizer/client/curve_questions.py`` by ``protos/generate.py``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Any

import grpc

from optimizer.api.v1 import planning_service_pb2 as api
from optimizer.client.connection import raise_for
from optimizer.client.records import CurveAnswer, CurveT, curve_answer
from optimizer.domain.base import Value
from optimizer.domain.cluster_curves import ClusterCurve, ClusterCurveSpec, ClusterValue, ClusterValueSpec
from optimizer.domain.curves import (
    BreakevenSpec,
    HashingCurve,
    HashingCurveSpec,
    ModeBreakevens,
    ThroughputCurve,
    ThroughputCurveSpec,
)
from optimizer.domain.market_answers import MarketCalibration, MarketCalibrationSpec, MarketFan, MarketFanSpec
from optimizer.domain.merit_order import MeritOrder, MeritOrderSpec
from optimizer.domain.network_curves import NetworkCurve, NetworkCurveSpec
from optimizer.wire.convert import parse, to_message


class CurveQuestions:
    """What a client asks about single machines, clusters, sites and markets."""

    _planning: Any
    _call: Any

    async def hashing_curve(self, spec: HashingCurveSpec) -> HashingCurve:
        """What one machine earns over a range of hashprices."""
        request = api.ComputeHashingCurveRequest(spec=to_message(spec))
        return parse(HashingCurve, (await self._call(self._planning.ComputeHashingCurve, request)).curve, "curve")

    async def throughput_curve(self, spec: ThroughputCurveSpec) -> ThroughputCurve:
        """What a GPU cluster gets done over a range of power caps."""
        request = api.ComputeThroughputCurveRequest(spec=to_message(spec))
        return parse(ThroughputCurve, (await self._call(self._planning.ComputeThroughputCurve, request)).curve, "curve")

    async def merit_order(self, spec: MeritOrderSpec) -> MeritOrder:
        """What a month is worth by the MW that a site leaves to its fleet."""
        request = api.ComputeMeritOrderRequest(spec=to_message(spec))
        return parse(
            MeritOrder, (await self._call(self._planning.ComputeMeritOrder, request)).merit_order, "merit order"
        )

    async def cluster_curve(self, spec: ClusterCurveSpec) -> ClusterCurve:
        """What GPU clusters of several sizes get done."""
        request = api.ComputeClusterCurveRequest(spec=to_message(spec))
        return parse(ClusterCurve, (await self._call(self._planning.ComputeClusterCurve, request)).curve, "curve")

    async def cluster_value(self, spec: ClusterValueSpec) -> ClusterValue:
        """What a GPU cluster earns over its size in MW, in straight pieces."""
        request = api.ComputeClusterValueRequest(spec=to_message(spec))
        return parse(ClusterValue, (await self._call(self._planning.ComputeClusterValue, request)).value, "value")

    async def network_curve(self, spec: NetworkCurveSpec) -> NetworkCurve:
        """Difficulty and hashprice of a network's hashrate by month, and what an exit does to them."""
        request = api.ComputeNetworkCurveRequest(spec=to_message(spec))
        return parse(NetworkCurve, (await self._call(self._planning.ComputeNetworkCurve, request)).curve, "curve")

    async def mode_breakevens(self, spec: BreakevenSpec) -> ModeBreakevens:
        """Power prices at which the modes of a machine stop paying."""
        request = api.ComputeBreakevensRequest(spec=to_message(spec))
        return parse(
            ModeBreakevens, (await self._call(self._planning.ComputeBreakevens, request)).breakevens, "breakevens"
        )

    async def calibrate_market(self, spec: MarketCalibrationSpec) -> MarketCalibration:
        """Volatility, mean reversion and correlations of market factors, fitted to their history."""
        request = api.CalibrateMarketRequest(spec=to_message(spec))
        return parse(
            MarketCalibration, (await self._call(self._planning.CalibrateMarket, request)).calibration, "calibration"
        )

    async def market_fan(self, spec: MarketFanSpec) -> MarketFan:
        """Where a quantity of a portfolio's market may be, by month."""
        request = api.ComputeMarketFanRequest(spec=to_message(spec))
        return parse(MarketFan, (await self._call(self._planning.ComputeMarketFan, request)).fan, "fan")

    def stream_hashing_curves(
        self, questions: Iterable[tuple[str, HashingCurveSpec]]
    ) -> AsyncIterator[CurveAnswer[HashingCurve]]:
        """Answers to any number of questions ``(key, specification)``, in their order, each as soon as it is there.

        A question that is wrong is answered by its error. ``questions`` is read by the event loop, a few ahead of the
        answers; what it raises is raised here after the answers to what came before. Ending the iteration early
        cancels the rest. There is no deadline.
        """
        return self._streamed(
            self._planning.StreamHashingCurves, api.StreamHashingCurvesRequest, questions, HashingCurve
        )

    def stream_throughput_curves(
        self, questions: Iterable[tuple[str, ThroughputCurveSpec]]
    ) -> AsyncIterator[CurveAnswer[ThroughputCurve]]:
        """As :meth:`stream_hashing_curves`, for clusters of GPUs."""
        return self._streamed(
            self._planning.StreamThroughputCurves, api.StreamThroughputCurvesRequest, questions, ThroughputCurve
        )

    async def _streamed(
        self, method: Any, request: Any, questions: Iterable[tuple[str, Value]], kind: type[CurveT]
    ) -> AsyncIterator[CurveAnswer[CurveT]]:
        failures: list[Exception] = []

        def asked() -> Iterator[Any]:
            try:
                for key, spec in questions:
                    yield request(key=key, spec=to_message(spec))
            except Exception as error:
                failures.append(error)

        stream = method(asked())
        try:
            async for answer in stream:
                yield curve_answer(answer, kind)
        except grpc.RpcError as error:
            raise_for(error)
        finally:
            stream.cancel()
        if failures:
            raise failures[0]
