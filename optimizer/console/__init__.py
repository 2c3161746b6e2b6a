"""The planning console: a page in the browser and a JSON API, in front of the gRPC service whose client it is.

Objects are in JSON as they are in files. A call shows the token that it came with to the service, which judges it.
"""

from optimizer.console.server import ConsoleServer

__all__ = ["ConsoleServer"]
