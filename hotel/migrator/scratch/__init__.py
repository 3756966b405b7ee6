"""A database to try migrations in, without rows: on a server, in memory, or on paper."""
