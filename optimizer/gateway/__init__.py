"""The service over HTTP: each call at the path that its annotation in the protos names, in the JSON of proto3.

It shows the service the token that a call came with, and keeps nothing.
"""

from optimizer.gateway.server import GatewayServer

__all__ = ["GatewayServer"]
