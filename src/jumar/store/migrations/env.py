"""What alembic runs: the revisions, on the connection it was handed.

Knows nothing of URLs: whoever migrates opens the database (see `jumar.store.migrate`).
"""

from alembic import context

from jumar.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
