"""Empty on purpose: only applications with this module hear when ``migrate`` begins and ends.

The migrator's own tables are no models of the project; see ``tables.py``.
"""
