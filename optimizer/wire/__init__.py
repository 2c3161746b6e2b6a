"""Domain objects to and from protos, and errors to and from statuses. No gRPC channel or server is made here."""
