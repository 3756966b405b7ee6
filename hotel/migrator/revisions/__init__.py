"""The graph of migrations, and how a place on it is written; no database is asked."""
