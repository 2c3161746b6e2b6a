"""The gRPC service; start it with :func:`optimizer.service.server.serve`.

Nothing is imported here, so that a worker process loads no gRPC.
"""
