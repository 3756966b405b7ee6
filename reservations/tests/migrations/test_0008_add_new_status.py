"""An empty column beside the old status."""

from hotel.migrator.tests import legacy

MIGRATION = ("reservations", "0008_add_new_status")
BEFORE = ("reservations", "0007")

COLUMN = {"new_status varchar(20)"}


def test_reservations_keep_everything_and_have_no_new_status_yet(history):
    history.before(MIGRATION)
    for key, word in enumerate(["old_confirmed", "Confirmed", None, ""], start=1):
        legacy.reservation(history, key, status=word)
    shape, rows = legacy.shape(history, "reservations"), history.dump()["reservations"]
    history.go(*MIGRATION)
    assert legacy.shape(history, "reservations") - shape == COLUMN
    assert shape - legacy.shape(history, "reservations") == set()
    assert history.dump()["reservations"] == [{**row, "new_status": None} for row in rows]


def test_new_words_come_back_after_the_column_was_dropped(history):
    history.at(MIGRATION)
    words = [
        "confirmed",
        None,
        "",
        "Confirmed ",
        "\N{FULLWIDTH LATIN SMALL LETTER C}onfirmed",
        "pending",
    ]
    for key, word in enumerate(words, start=1):
        legacy.reservation(history, key, new_status=word)
    history.go(*BEFORE)
    assert not COLUMN & legacy.shape(history, "reservations")
    assert legacy.archive(history, "column_name", "row_key", "original") == [
        ("new_status", "1", "confirmed"),
        ("new_status", "3", ""),
        ("new_status", "4", "Confirmed "),
        ("new_status", "5", "\N{FULLWIDTH LATIN SMALL LETTER C}onfirmed"),
        ("new_status", "6", "pending"),
    ]
    history.execute("DELETE FROM reservations WHERE id = 6")
    legacy.reservation(history, 7)
    for _ in range(2):  # the second run finds nothing to do
        history.go(*MIGRATION)
        assert legacy.column(history, "reservations", "new_status") == {
            1: "confirmed",
            2: None,
            3: "",
            4: "Confirmed ",
            5: "\N{FULLWIDTH LATIN SMALL LETTER C}onfirmed",
            7: None,
        }
    assert legacy.archive(history, "row_key") == []


def test_an_empty_table_stays_empty(history):
    history.before(MIGRATION).go(*MIGRATION).go(*BEFORE).go(*MIGRATION)
    assert history.dump()["reservations"] == []
