"""What the Postgres destination uses of dlt beyond its documented interface, where no driver is installed either."""

# Is subclassed so that nested values are `jsonb`.
from dlt.destinations.impl.postgres.factory import PostgresTypeMapper

__all__ = ["PostgresTypeMapper"]
