"""A column gets another name, and nothing but that."""

from django.db import connection

from hotel.migrator.tests import legacy

MIGRATION = ("reservations", "0007_rename_checked_in_by_name")
BEFORE = ("reservations", "0006")

OLD, NEW = "checked_in_by_name", "receptionist_name"

NAMES = {
    1: "Siti",
    2: None,
    3: "",
    4: " siti ",
    5: "\N{FULLWIDTH LATIN CAPITAL LETTER S}iti",
    6: "checked_in_by_name",
    7: "n" * 100,
}


def order_of_columns(history):
    """Return the columns as they stand: one that was dropped and added again would come last."""
    with connection.cursor() as cursor:
        description = connection.introspection.get_table_description(cursor, "reservations")
    return [column.name for column in description]


def test_names_go_up_and_down_and_up_under_another_name(history):
    history.before(MIGRATION)
    for key, name in NAMES.items():
        legacy.reservation(history, key, checked_in_by_name=name)
    order, catalog = order_of_columns(history), history.catalog()
    archived = legacy.archive(history, "owner", "row_key")
    place = order.index(OLD)
    for _ in range(2):
        for _ in range(2):  # the second run finds nothing to do
            history.go(*MIGRATION)
            assert legacy.column(history, "reservations", NEW) == NAMES
            assert order_of_columns(history) == [*order[:place], NEW, *order[place + 1 :]]
        history.go(*BEFORE)
        assert legacy.column(history, "reservations", OLD) == NAMES
        assert order_of_columns(history) == order
        assert history.catalog() == catalog
    assert legacy.archive(history, "owner", "row_key") == archived == []


def test_the_catalog_differs_in_the_name_alone(history):
    history.before(MIGRATION)
    catalog, shape = history.catalog(), legacy.shape(history, "reservations")
    history.go(*MIGRATION)
    assert shape - legacy.shape(history, "reservations") == {f"{OLD} varchar(100)"}
    assert legacy.shape(history, "reservations") - shape == {f"{NEW} varchar(100)"}

    after = history.catalog()
    as_after = {thing._replace(name=thing.name.replace(OLD, NEW)) for thing in catalog}
    assert as_after == set(after)


def test_names_written_at_the_later_state_go_down(history):
    history.at(MIGRATION)
    legacy.reservation(history, 1, receptionist_name="Budi")
    legacy.reservation(history, 2, receptionist_name="Siti")
    legacy.reservation(history, 3, receptionist_name=None)
    history.execute("UPDATE reservations SET receptionist_name = 'Ayu' WHERE id = 1")
    history.execute("DELETE FROM reservations WHERE id = 2")
    history.go(*BEFORE)
    assert legacy.column(history, "reservations", OLD) == {1: "Ayu", 3: None}
