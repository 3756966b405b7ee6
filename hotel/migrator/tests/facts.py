"""All that a database holds, as facts that can be compared one by one."""


def facts(history):
    """Return every value and every fact of the schema in one dict: failures are short."""
    flat = {}
    dump = history.dump()
    dump.pop("permission_grants", None)  # written after each migrate, by accounts/roles.py
    for table, rows_ in dump.items():
        flat |= {(table, row["id"], name): value for row in rows_ for name, value in row.items()}
    return flat | history.catalog()


def differences(found, expected):
    """Return ``{fact: (found, expected)}``; a value that is not there is told from NULL."""
    return {
        fact: (found.get(fact, "absent"), expected.get(fact, "absent"))
        for fact in sorted(found.keys() | expected.keys())
        if fact not in found or fact not in expected or found[fact] != expected[fact]
    }
