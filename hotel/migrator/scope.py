"""Which applications are this project's own: MIGRATION_SCOPE, or what lies in its folder."""

from collections.abc import Iterable
from pathlib import Path

from django.apps import AppConfig, apps
from django.conf import settings


def own_apps() -> set[str]:
    """Return the labels of this project's own apps: ``MIGRATION_SCOPE``, or those in its folder.

    Without the migrator, whose tables no migration makes.
    """
    named: Iterable[str] | None = getattr(settings, "MIGRATION_SCOPE", None)
    if named is not None:
        return set(named)
    return {
        config.label
        for config in apps.get_app_configs()
        if Path(config.path).is_relative_to(settings.BASE_DIR)
        and not is_installed_package(config)
        and config.name != __package__
    }


def is_installed_package(config: AppConfig) -> bool:
    """Tell whether an application, an AppConfig, is one of an installed package, as Django is."""
    return not {"site-packages", "dist-packages"}.isdisjoint(Path(config.path).parts)
