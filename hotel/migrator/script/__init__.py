"""A range of the history as one SQL script for plain ``psql`` or ``sqlite3``."""
