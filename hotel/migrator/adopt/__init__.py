"""``manage.py db adopt``: a database that no migration made becomes one of this history, and back.

``look`` tells what it is (``shapes``, ``points``, ``obstacles``), ``takeover`` rebuilds it
(``aside``, ``orphans``, ``checksums``), ``way_back`` gives it back or ends it (``written``),
``reporting`` prints. A project declares its legacy system in ``MIGRATOR_LEGACY``.
"""
