"""What Alembic runs: the migrations, on the connection that `storage.database` hands over."""

from alembic import context

from slopewise.site.storage.tables import Base

context.configure(
    connection=context.config.attributes["connection"], target_metadata=Base.metadata, render_as_batch=True
)
with context.begin_transaction():
    context.run_migrations()
