"""What the hotel is set to, as the legacy system kept it."""

from hotel.migrator.tests import legacy

MIGRATION = ("dashboard", "0001_initial")

SETTINGS = """
    id integer NOT NULL KEY
    setting_key varchar(100) NOT NULL
    unique setting_key
    setting_value text
    setting_type varchar(20)
    is_editable bool
    description text
    category varchar(50)
    created_at datetime
    updated_at datetime
"""


def test_makes_an_empty_table_beside_the_others(history):
    history.before(MIGRATION)
    legacy.payment(history, 1)
    rows = history.dump()
    history.go(*MIGRATION)
    assert legacy.shape(history, "settings") == legacy.lines(SETTINGS)
    assert history.dump() == {**rows, "settings": []}


def test_settings_come_back_with_their_keys_after_the_table_was_dropped(history):
    history.at(MIGRATION)
    zone = {"setting_key": "timezone", "setting_value": "Asia/Jakarta", "setting_type": "string"}
    json = {"setting_key": "Timezone ", "setting_value": '{"a": null}\n%', "setting_type": "JSON"}
    history.insert("settings", id=7, **zone, is_editable=True, created_at="2025-11-08 00:00:00")
    history.insert("settings", id=4, **json, is_editable=False, description="")
    history.insert("settings", id=5, setting_key="", setting_value="007")
    blank = dict.fromkeys(
        ["setting_type", "is_editable", "description", "category", "created_at", "updated_at"]
    )
    expected = [
        {**blank, **json, "id": "4", "is_editable": "0", "description": ""},
        {**blank, "id": "5", "setting_key": "", "setting_value": "007"},
        {**blank, **zone, "id": "7", "is_editable": "1", "created_at": "2025-11-08 00:00:00"},
    ]
    assert history.dump()["settings"] == expected

    history.go("dashboard", "zero")
    assert "settings" not in history.tables()
    for _ in range(2):  # the second run finds nothing to do
        history.go(*MIGRATION)
        assert history.dump()["settings"] == expected
    assert legacy.shape(history, "settings") == legacy.lines(SETTINGS)
    history.insert("settings", setting_key="new")
    assert legacy.column(history, "settings", "setting_key")[8] == "new"


def test_no_row_comes_back_from_an_empty_table(history):
    history.at(MIGRATION).go("dashboard", "zero").go(*MIGRATION)
    assert history.dump()["settings"] == []
    assert legacy.archive(history, "row_key") == []
