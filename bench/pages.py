"""What the pages of a big hotel cost: queries, time in the database, time in all.

Run with ``make bench``, or ``python -m bench.pages --reservations 1000000``. The database is one of
its own, like that of ``bench.history``, at head. Each page is opened once to warm up and then five
times by an owner; the medians are printed, and a bound that is broken ends with exit code 1.
"""

import argparse
import os
import sys
import time
from statistics import median

from bench.databases import database
from bench.history import run

ROUNDS = 5
ROOMS = 250
FIGURES = 400  # days: the longest period that the page of the figures shows
BOUNDS = {"queries": 30, "page": 1000, "sql": 20, "availability": 5, "row": 25}  # ms; of a row, µs
SQL_BOUND_FROM = 1_000_000  # reservations: the bound of SQL is for so many, on PostgreSQL


def main():
    """Write the hotel, measure every page, and exit 1 if a bound is broken."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--reservations", type=int, default=100_000)
    wanted = parser.parse_args().reservations
    with database():
        try:
            sys.exit(measure(wanted))
        finally:
            from django.db import connection

            connection.close()


def measure(wanted):
    """Write the hotel, open the pages, and return the exit code."""
    run("migrate", "--verbosity", "0")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hotel.settings")
    import django

    django.setup()
    from django.conf import settings
    from django.db import connection

    settings.ALLOWED_HOSTS = ["*"]
    started = time.monotonic()
    write(wanted)
    print(f"{connection.display_name}: {wanted} reservations in {time.monotonic() - started:.0f} s")
    broken = []
    for name, address in pages().items():
        queries, sql, page = opened(address)
        print(f"  {name:<44}{queries:4} queries {sql:8.1f} ms SQL {page:8.1f} ms", flush=True)
        if (
            queries > BOUNDS["queries"]
            or page > BOUNDS["page"]
            or (wanted >= SQL_BOUND_FROM and sql > BOUNDS["sql"])
        ):
            broken.append(name)
    taken = availability()
    print(f"  {'availability of the house':<44}{taken:17.1f} ms")
    if connection.vendor == "postgresql" and taken > BOUNDS["availability"]:
        broken.append("availability")
    if connection.vendor == "postgresql":
        taken = no_overlap()
        print(f"  {'no double booking, over a btree index':<44}{taken:17.1f} µs a row")
        if taken > BOUNDS["row"]:
            broken.append("no double booking")
    print(f"beyond the bounds: {', '.join(broken)}" if broken else "within the bounds")
    return 1 if broken else 0


def write(wanted):
    """Insert ``wanted`` stays of two nights, three days apart in each of 250 rooms, and money."""
    from django.db import connection

    from hotel.dashboard.services import compute_metrics

    day = (
        "date '{}' + CAST({} AS integer)"
        if connection.vendor == "postgresql"
        else "date('{}', ({}) || ' days')"
    )
    per_room = wanted // ROOMS
    from datetime import date, timedelta

    first = date.today() - timedelta(days=per_room * 3 - 60)
    start = f"(n / {ROOMS}) * 3"
    passed = (date.today() - first).days
    series = (
        "WITH RECURSIVE series(n) AS"
        " (SELECT CAST(0 AS bigint) UNION ALL SELECT n + 1 FROM series WHERE n < {})"
    )
    stamp = "now()" if connection.vendor == "postgresql" else "datetime('now')"
    status = (
        f"CASE WHEN {start} + 2 < {passed} THEN 'checked_out'"
        f" WHEN {start} < {passed} THEN 'checked_in' ELSE 'confirmed' END"
    )
    arrival, departure = day.format(first, start), day.format(first, f"{start} + 2")
    statements = [
        "INSERT INTO users (username, password_hash, is_superuser, is_staff, is_active)"
        " VALUES ('bench', '!', true, true, true)",
        "INSERT INTO room_types (name, code, default_rate) SELECT 'Type ' || n, 'T' || n, 500000"
        " FROM series",
        "INSERT INTO rooms (room_number, floor, room_type_id, status, housekeeping_status)"
        " SELECT 100 + n, n / 50, 1 + n / 32, 'available', 'clean' FROM series",
        "INSERT INTO guests (full_name, phone, email, id_number, search_key)"
        " SELECT 'Guest ' || (n * 7919), '+62 ' || (n * 104729), 'g' || n || '@mail.example',"
        " 'ID' || (n * 15485863), 'guest ' || (n * 7919) || ' 62' || (n * 104729) || ' 62' ||"
        " (n * 104729) || ' g' || n || 'mailexample id' || (n * 15485863) FROM series",
        "INSERT INTO reservations (confirmation_number, guest_id, room_type_id, room_id,"
        " check_in_date, check_out_date, rate_per_night, subtotal, discount_amount, total_amount,"
        " status, created_by, checked_in_at, checked_out_at, created_at, adults, children,"
        " deposit_held)"
        f" SELECT 'BK' || (n * 7907), 1 + n / 2, 1 + (n % {ROOMS}) / 32, 1 + n % {ROOMS},"
        f" {arrival}, {departure}, 500000, 1000000, 0, 1000000, {status}, 1, {stamp}, {stamp},"
        f" {stamp}, 2, 0, CASE n % 2 WHEN 0 THEN 500000 ELSE 0 END FROM series",
        "INSERT INTO payments (reservation_id, payment_date, amount, payment_method, payment_type,"
        " reference_number, is_refund, is_voided, has_proof, created_at)"
        f" SELECT 1 + n, {arrival}, 1000000, 'cash', 'full', 'REF' || (n * 6547), false, false,"
        f" n % 100 = 0, {stamp} FROM series",
        "INSERT INTO deposit_movements (reservation_id, kind, amount, occurred_at, business_date,"
        " evidence)"
        f" SELECT 1 + n * 2, 'collected', 500000, {stamp},"
        f" {day.format(first, f'(n * 2 / {ROOMS}) * 3')}, 'recorded' FROM series",
    ]
    rows = [0, 8, ROOMS, wanted // 2 + 1, wanted, wanted, wanted // 2]
    with connection.cursor() as cursor:
        for statement, number in zip(statements, rows, strict=True):
            into, chosen = statement.split(" SELECT ", 1) if number else (statement, "")
            if number:
                statement = f"{into} {series.format(number - 1)} SELECT {chosen}"
            cursor.execute(statement)
        cursor.execute("ANALYZE")
    compute_metrics(*shown())


def shown():
    """Return the first and the last day of the figures."""
    from datetime import timedelta

    from hotel.business_day import business_date

    return business_date() - timedelta(days=FIGURES - 1), business_date()


def pages():
    """Return the addresses of the pages by what they show."""
    from hotel.business_day import business_date

    stays, guests, payments = (
        f"/admin/{name}/"
        for name in ("reservations/reservation", "reservations/guest", "payments/payment")
    )
    today = business_date().isoformat()
    return {
        "index": "/admin/",
        f"figures of {FIGURES} days": "/admin/metrics/?from={}&to={}".format(*shown()),
        "exemptions": "/admin/exemptions/",
        "reservations": stays,
        "reservations, page 100": f"{stays}?p=100",
        "reservations in house": f"{stays}?status__exact=checked_in",
        "reservations, no-shows (none)": f"{stays}?status__exact=no_show",
        "reservations that arrive today": f"{stays}?check_in_date__gte={today}"
        f"&check_in_date__lt={today}",
        "reservations by number": f"{stays}?q=BK79070",
        "reservations by guest": f"{stays}?q=Guest+79190",
        "reservations by nothing there is": f"{stays}?q=nobody",
        "reservations in the order of arrival": f"{stays}?o=4",
        "the latest first": f"{stays}?o=-4",
        "sorted by a column of no index": f"{stays}?o=5",
        "a reservation": f"{stays}7/change/",
        "its check-in": f"{stays}7/do/check-in/",
        "booking": f"{stays}add/",
        "guests": guests,
        "guests by name": f"{guests}?q=Guest+79190",
        "guests by phone": f"{guests}?q=1047290",
        "a guest": f"{guests}7/change/",
        "payments": payments,
        "payments by reference": f"{payments}?q=REF65470",
        "payments by guest": f"{payments}?q=Guest+79190",
        "a payment": f"{payments}7/change/",
        "rooms": "/admin/rooms/room/",
        "a room": "/admin/rooms/room/7/change/",
        "deposits": "/admin/payments/depositmovement/",
        "choosing a guest": "/admin/autocomplete/?app_label=reservations&model_name=reservation"
        "&field_name=guest&term=79190",
    }


def opened(address):
    """Return the number of queries, their milliseconds, and those of the whole page."""
    from django.db import connection
    from django.test import Client

    from accounts.models import User

    client = Client()
    client.force_login(User.objects.get(username="bench"))
    found = []
    for _ in range(ROUNDS + 1):
        started = time.perf_counter()
        response = client.get(address)
        page = (time.perf_counter() - started) * 1000
        spent = []

        def timed(execute, *arguments, spent=spent):
            begun = time.perf_counter()
            try:
                return execute(*arguments)
            finally:
                spent.append((time.perf_counter() - begun) * 1000)

        with connection.execute_wrapper(timed):
            client.get(address)
        if response.status_code != 200:
            sys.exit(f"{address} answered {response.status_code}.")
        found.append((len(spent), sum(spent), page))
    return tuple(median(column) for column in zip(*found[1:], strict=True))


def availability():
    """Return the milliseconds to find the free rooms of the house for a week."""
    from datetime import timedelta

    from hotel.business_day import business_date
    from reservations.services import free_rooms

    today, found = business_date(), []
    for _ in range(ROUNDS + 1):
        started = time.perf_counter()
        list(free_rooms(today, today + timedelta(days=7)).values_list("pk", flat=True))
        found.append((time.perf_counter() - started) * 1000)
    return median(found[1:])


def no_overlap():
    """Return the microseconds by which the rule makes a row slower than a btree index alone."""
    from django.db import connection

    rows = 100_000
    plain = (
        "CREATE TABLE bench_stays (id serial PRIMARY KEY, room_id int, start_date date,"
        " end_date date, status varchar(20), exemptions jsonb);"
        " CREATE INDEX ON bench_stays (room_id, start_date, end_date)"
    )
    insert = (
        "INSERT INTO bench_stays (room_id, start_date, end_date, status)"
        f" SELECT n % {ROOMS}, date '2020-01-01' + n / {ROOMS} * 3,"
        f" date '2020-01-01' + n / {ROOMS} * 3 + 2, 'confirmed' FROM generate_series(1, {rows}) n"
    )
    spent = {False: [], True: []}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE conname = 'stay_parts_no_double_booking'"
        )
        [rule] = cursor.fetchone()
        for _ in range(ROUNDS):
            for ruled in (False, True):
                cursor.execute(plain)
                if ruled:
                    cursor.execute(f"ALTER TABLE bench_stays ADD {rule}")
                started = time.perf_counter()
                cursor.execute(insert)
                spent[ruled].append((time.perf_counter() - started) * 1e6 / rows)
                cursor.execute("DROP TABLE bench_stays")
    return median(spent[True]) - median(spent[False])


if __name__ == "__main__":
    main()
