"""What Django checks before ``migrate``, and by ``manage.py check --database default``."""

import re
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.db import connections

from hotel.dashboard.models import Setting


def check_currency(
    app_configs: Any, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Return an error if the hotel's settings name another currency than ``HOTEL_CURRENCY``.

    Amounts are not converted: taken for another currency, every one of them would be wrong.
    """
    errors: list[CheckMessage] = []
    table = Setting._meta.db_table
    for alias in databases or []:
        connection = connections[alias]
        if table not in connection.introspection.table_names():
            continue
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT setting_value FROM {table} WHERE setting_key = 'currency'")
            [named] = cursor.fetchone() or [None]
        if re.fullmatch("[A-Z]{3}", named or "") and named != settings.HOTEL_CURRENCY:
            errors.append(
                Error(
                    f"The hotel's settings say that its currency is {named}, "
                    f"but HOTEL_CURRENCY is {settings.HOTEL_CURRENCY}.",
                    hint=f"Set HOTEL_CURRENCY={named} in the environment or in .env.",
                    id="hotel.E001",
                )
            )
    return errors
