"""``manage.py db adopt``: a database that no migration made becomes one of this history, and back.

``look`` tells what a database is (``shapes``, ``points``) and what stands in the way
(``surroundings``, ``rights``); ``takeover`` rebuilds it (``values``, ``orphans``, ``set_aside``,
``stand_ins``, ``computed``, ``aside``, ``carrying``, ``checksums``); ``way_back`` gives it back or
ends it (``written``); ``reporting`` prints. ``unrecorded`` tells ``migrate`` and ``doctor`` about
databases that nobody has adopted yet. A project declares its legacy system in ``MIGRATOR_LEGACY``.
"""
