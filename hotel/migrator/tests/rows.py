"""Rows of any kind that the schema allows, at any point of the history; most of them dirty."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache

from django.db import IntegrityError, connection, models
from hypothesis import strategies as st

from conftest import OWN_APPS
from hotel.migrator.fields import ExemptionsField

LARGEST = Decimal("9999999999.99")
INTEGERS = st.integers(-(2**31), 2**31 - 1)
# Columns of a table that holds counts: eight of any size would hardly ever be one of its rows.
COUNTS = (
    *("rooms", "rooms_out_of_order", "rooms_sold"),
    *("arrivals", "departures", "cancellations", "no_shows"),
)

# Words that some rule of the history looks at, their look-alikes, and what nobody expected.
WORDS = {
    "status": [
        *("old_confirmed", "old_checked_in", "pending", "confirmed", "checked_in", "checked_out"),
        *("cancelled", "no_show", "available", "occupied", "maintenance", "out_of_order"),
        *("reserved", "active", "inactive", "OLD_CONFIRMED", "", " old_confirmed"),
        *("old_confirmed ", "\uff50ending", "Active", "old_confirmed\n"),
    ],
    "new_status": ["pending", "confirmed", "checked_in", "checked_out", "cancelled", "weird"],
    "payment_type": ["full", "downpayment", "deposit", "adjustment", "", "Deposit", "full "],
    "housekeeping_status": ["clean", "dirty", "inspected", "pickup"],
    "kind": [
        *("collected", "applied", "refunded", "forfeited", "corrected", "Collected"),
        *("out_of_order", "out_of_service", "house_use"),
    ],
    "currency": ["IDR", "EUR", "idr", ""],
    "evidence": ["recorded", "payment", "legacy_column", "assumed", ""],
    "role": ["admin", "user", "Admin", "", "boss"],
    "password": [
        "$2b$12$oG3HhUpZZF3CeH1xCtLkOuYIcaQwCaJBF6GBn/MQTNaMZ.oU4qG7O",
        "$2b$12$too short",
        "!placeholder-not-a-hash",
        "bcrypt$$2b$12$oG3HhUpZZF3CeH1xCtLkOuYIcaQwCaJBF6GBn/MQTNaMZ.oU4qG7O",
        "pbkdf2_sha256$1$salt$hash",
        "",
        "!",
        "x" * 255,
    ],
    "notes": [
        "deposit",
        "JAMINAN kamar",
        "Uang Muka",
        "uang muka + deposit",
        "depos\u0131t",
        "",
        "%",
    ],
}
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)


def insert(history, draw, most=4):
    """Insert up to ``most`` rows into every table of this project that stands."""
    apps = history.apps
    keys = {"auth.group": _groups(history), "auth.permission": _permissions(history)}
    for model in _parents_first(apps):
        label = model._meta.label_lower
        needed = [f.related_model._meta.label_lower for f in _foreign_keys(model) if not f.null]
        size = draw(st.integers(0, most)) if all(keys.get(parent) for parent in needed) else 0
        taken = set()
        keys[label] = []
        for key in range(1, size + 1):
            row = {
                field.column: key if field.primary_key else draw(_value(field, key, keys))
                for field in model._meta.local_concrete_fields
                if not field.generated
            }
            together = {tuple(row[column] for column in unique) for unique in _unique(model)}
            together = {values for values in together if None not in values}
            if taken.isdisjoint(together) and _stands(history, model, row):
                keys[label].append(key)
                taken |= together
    for model in _parents_first(apps):
        for field in model._meta.local_many_to_many:
            _link(history, draw, field, keys)


def _stands(history, model, row):
    """Insert a row, and return whether the rules that hold at this point let it stand."""
    try:
        history.insert(model._meta.db_table, **row)
    except IntegrityError:
        if not model._meta.constraints:
            raise
        return False
    return True


def _value(field, key, keys):
    """Return the strategy for one field of row ``key``; ``keys``: of the rows there are."""
    if isinstance(field, models.ForeignKey):
        found = keys.get(field.related_model._meta.label_lower)
        return _of_field(field, st.sampled_from(found or [None]))
    if field.unique and isinstance(field, models.DateField):
        return st.just(str(date(2000, 1, 1) + timedelta(days=key)))
    if field.unique:
        return _of_field(field, TEXT.map(lambda text: f"{key}{text}"))
    return _any_value(field)


def _of_field(field, strategy):
    """Return the strategy, cut to the length of the field, and with NULL where it may be."""
    if field.max_length:
        strategy = strategy.map(lambda text: text[: field.max_length])
    return st.one_of(st.none(), strategy) if field.null else strategy


@cache  # a strategy is dear to make, and a field is that of many examples
def _any_value(field):
    """Return the strategy for a field whose values do not depend on other rows."""
    if field.name in WORDS:
        strategy = st.one_of(st.sampled_from(WORDS[field.name]), TEXT)
    elif isinstance(field, ExemptionsField):
        strategy = st.none()  # no row is born with one
    elif isinstance(field, models.JSONField):
        strategy = st.sampled_from(["{}", '{"status": ["pending", "confirmed"]}'])
    elif isinstance(field, models.CharField | models.TextField):
        strategy = TEXT
    elif isinstance(field, models.BooleanField):
        strategy = st.booleans()
    elif field.name in COUNTS:
        strategy = st.integers(0, 9)
    elif isinstance(field, models.IntegerField):
        strategy = INTEGERS
    elif isinstance(field, models.DecimalField):
        most = LARGEST if field.max_digits == 12 else Decimal("999.99")
        strategy = st.one_of(
            st.sampled_from([Decimal(0), Decimal("0.10"), Decimal("0.20"), Decimal("0.30"), most]),
            st.decimals(-most, most, places=2),
        ).map(str)
    elif isinstance(field, models.DateTimeField):
        strategy = st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1)).map(
            lambda value: value.isoformat(" ", "microseconds")
        )
    elif isinstance(field, models.DateField):
        strategy = st.dates(date(1900, 1, 1), date(2100, 1, 1)).map(str)
    else:
        raise NotImplementedError(f"rows of {field!r} are not made yet")
    return _of_field(field, strategy)


def _foreign_keys(model):
    return [f for f in model._meta.local_concrete_fields if isinstance(f, models.ForeignKey)]


def _unique(model):
    """Return the groups of columns that no two rows may share."""
    return [
        [model._meta.get_field(name).column for name in constraint.fields]
        for constraint in model._meta.constraints
        if isinstance(constraint, models.UniqueConstraint)
    ]


def _parents_first(apps):
    """Return the models of this project that have tables, each after those it refers to."""
    waiting = [model for model in apps.get_models() if model._meta.app_label in OWN_APPS]
    ordered = []
    while waiting:
        for model in waiting:
            parents = {f.related_model for f in _foreign_keys(model)} - {model}
            if parents.isdisjoint(waiting):
                ordered.append(model)
                waiting.remove(model)
                break
    return ordered


def _groups(history):
    if "auth_group" not in _all_tables(history):
        return []
    if not history.execute("SELECT 1 FROM auth_group"):
        history.insert("auth_group", name="Front desk")
        history.insert("auth_group", name="Somebody's own group")
    return [key for (key,) in history.execute("SELECT id FROM auth_group")]


def _permissions(history):
    if "auth_permission" not in _all_tables(history):
        return []
    if not history.execute("SELECT 1 FROM auth_permission"):
        history.insert("django_content_type", app_label="somebody", model="thing")
        kind = "SELECT id FROM django_content_type WHERE app_label = 'somebody'"
        [(content_type,)] = history.execute(kind)
        history.insert("auth_permission", name="A", codename="a", content_type_id=content_type)
    return [key for (key,) in history.execute("SELECT id FROM auth_permission")]


def _all_tables(history):
    return connection.introspection.table_names()


def _link(history, draw, field, keys):
    """Insert rows into the table of a many-to-many field."""
    through = field.remote_field.through
    ours = keys.get(field.model._meta.label_lower)
    theirs = keys.get(field.related_model._meta.label_lower)
    if not (ours and theirs):
        return
    pairs = st.sets(st.tuples(st.sampled_from(ours), st.sampled_from(theirs)), max_size=3)
    for our, their in sorted(draw(pairs)):
        history.insert(
            through._meta.db_table,
            **{field.m2m_column_name(): our, field.m2m_reverse_name(): their},
        )
