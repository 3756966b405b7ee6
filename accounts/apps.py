"""Application configuration."""

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate


class AccountsConfig(AppConfig):
    """See models.py for what is stored and roles.py for who may do what."""

    name = "accounts"

    def ready(self) -> None:
        """Have permissions granted once a ``migrate``, after the last application made its own."""
        from accounts.roles import grant_permissions

        last = [config for config in apps.get_app_configs() if config.models_module][-1]
        post_migrate.connect(
            grant_permissions, sender=last, dispatch_uid="accounts.roles.grant_permissions"
        )
