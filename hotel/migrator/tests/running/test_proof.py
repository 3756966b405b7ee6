"""What a run of ``migrate`` prints on standard error."""

import logging

from hotel.migrator.running.proof import compare


def printed(caplog, logger):
    return [r.getMessage().strip() for r in caplog.records if r.name == f"hotel.migrator.{logger}"]


def test_a_run_counts_rows_and_sums_money_before_and_after(history, caplog):
    history.initial().load_sample()
    with caplog.at_level(logging.INFO, "hotel.migrator"):
        history.migrate(verbosity=1)
    lines = printed(caplog, "running.proof")
    assert "guests: rows 180 -> 180" in lines
    assert "payments: rows 418 -> 418, amount 10510356319.23 -> 10510356319.23" in lines
    assert (
        "reservations: rows 300 -> 300, rate_per_night 10137037528.30 -> 10137037528.30,"
        " subtotal 10563387574.08 -> 10563387574.08, discount_amount 10351251.61 -> 10351251.61,"
        " total_amount 10553036322.47 -> 10553036322.47"
    ) in lines


def test_each_data_migration_prints_one_line_a_column(history, caplog):
    history.initial().load_sample()
    with caplog.at_level(logging.INFO, "hotel.migrator"):
        history.migrate("reservations", "0009")
    assert printed(caplog, "storage.batches") == [
        "reservations.0005_backfill_deposit_amount: 300 rows read, 300 changed, 300 archived;"
        " deposit_amount 0 filled, sum 0 -> deposit_amount 300 filled, sum 0",
        "payments.0004_backfill_payment_type: 418 rows read, 418 changed, 418 archived;"
        " payment_type NULL 418 -> payment_type downpayment 230, full 171, adjustment 17",
        "reservations.0009_transform_status: 300 rows read, 300 changed, 0 archived;"
        " status old_confirmed 110, checked_out 105, old_checked_in 58, cancelled 14, NULL 3,"
        " '' 1, ' old_checked_in' 1, Cancelled 1, other 7"
        " -> new_status confirmed 111, checked_out 105, checked_in 59, cancelled 14, pending 10,"
        " no_show 1",
    ]


def test_a_dropped_table_is_said_to_be_archived(history, caplog):
    history.initial().migrate("payments", "0002").insert(
        "expenses", date="2026-01-02 03:04:05", category="laundry", amount="12.50"
    )
    with caplog.at_level(logging.INFO, "hotel.migrator"):
        history.migrate("payments", "0001", verbosity=1)
    assert printed(caplog, "running.proof") == ["expenses: rows 1 -> no such table any more"]


def test_nothing_is_printed_when_there_is_nothing_to_do_or_no_row(history, caplog):
    with caplog.at_level(logging.INFO, "hotel.migrator"):
        history.at(("rooms", "0012_retire_indexes")).migrate(verbosity=1).migrate(verbosity=1)
    assert printed(caplog, "running.proof") + printed(caplog, "storage.batches") == []


def test_rows_that_are_fewer_are_a_warning_in_words(caplog):
    before = {"payments": {"rows": 613, "amount": 10, "fee": 1}, "guests": {"rows": 2}}
    after = {"payments": {"rows": 514, "amount": 7}, "guests": {"rows": 3}}
    assert compare(before, after) == [
        (logging.INFO, "guests: rows 2 -> 3"),
        (
            logging.WARNING,
            "payments: rows 613 -> 514 (99 FEWER), amount 10 -> 7,"
            " fee 1 -> no decimal column any more",
        ),
    ]
