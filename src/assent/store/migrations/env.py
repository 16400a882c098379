"""Alembic's entry: run the steps on the connection that `migrate.py` hands in, inside its transaction."""

from alembic import context

from assent.store.schema import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    transactional_ddl=True,
    transaction_per_migration=False,
)
context.run_migrations()
