"""Runs the migrations on the connection that ``ledger.adapters.sql.engine.upgrade`` hands over.

The connection is inside a transaction already, so a migration that fails changes nothing.
"""

from alembic import context

from ledger.adapters.sql.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
