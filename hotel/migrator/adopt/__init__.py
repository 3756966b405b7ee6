"""``manage.py db adopt``: a database that no migration made becomes one of this history, and back.

``inspection`` tells what a database is (``shapes``, ``point_of_history``) and what stands in the
way (``surroundings``, ``rights``); ``takeover`` rebuilds it (``unfit_values``, ``orphans``,
``rows_set_aside``, ``stand_ins``, ``computed``, ``moved_tables``, ``carrying``, ``checksums``);
``way_back`` gives it back or ends it (``written_since``); ``reporting`` prints. ``unrecorded``
tells ``migrate`` and ``doctor`` about databases that nobody has adopted yet. A project declares its
legacy system in ``MIGRATOR_LEGACY``.
"""
