"""Runs the revisions on the connection that :class:`optimizer.service.database.Database` hands over."""

from alembic import context

from optimizer.service.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
