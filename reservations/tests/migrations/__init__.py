"""A file for each migration of this app, under the migration's name."""
