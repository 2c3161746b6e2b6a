"""The client for asyncio: the methods of :class:`~optimizer.client.OptimizerClient`, awaited."""

from optimizer.client.aio.client import AsyncClient

__all__ = ["AsyncClient"]
