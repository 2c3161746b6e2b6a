"""The planning console: a page in the browser and what it calls, in front of the gRPC service whose client it is.

Objects are in JSON as they are in files. A call shows the token that it came with to the service, which judges it.
Beside it are the calls of :mod:`optimizer.gateway`, by which the page watches, stops and cancels a search.
"""

from optimizer.console.server import ConsoleServer

__all__ = ["ConsoleServer"]
