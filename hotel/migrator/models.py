"""Empty on purpose: Django tells only applications with this module when ``migrate`` begins and ends.

The migrator's own tables are no models of the project; see ``tables.py``.
"""
