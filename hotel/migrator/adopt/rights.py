"""What a role must be allowed to do, so that it can take a database over."""

from hotel.migrator.adopt.moved_tables import Aside
from hotel.migrator.sql.parsing import quoted


def lacking(aside: Aside, tables: list[str], extensions: list[str]) -> list[str]:
    """Return the rights that the role lacks, on PostgreSQL.

    extensions: names of those that later migrations create.
    """
    if aside.connection.vendor != "postgresql":
        return []
    [(role, database, schema, may_create, may_make_temporary, may_use, is_super)] = aside.rows(
        "SELECT current_user, current_database(), current_schema(),"
        " has_database_privilege(current_database(), 'CREATE'),"
        " has_database_privilege(current_database(), 'TEMPORARY'),"
        " has_schema_privilege(current_schema(), 'CREATE'),"
        " (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)"
    )
    lacks = []
    for (table,) in aside.rows(
        "SELECT relname FROM pg_class"
        " WHERE relnamespace = quote_ident(current_schema())::regnamespace"
        " AND relname = ANY(%s) AND NOT pg_has_role(relowner, 'USAGE') ORDER BY 1",
        [tables],
    ):
        lacks.append(f"to own {table}: ALTER TABLE {quoted(table)} OWNER TO {quoted(role)};")
    if not may_use:
        lacks.append(
            f"to make tables in the schema {schema}:"
            f" GRANT CREATE ON SCHEMA {quoted(schema)} TO {quoted(role)};"
        )
    if not may_make_temporary:
        lacks.append(
            "to make temporary tables:"
            f" GRANT TEMPORARY ON DATABASE {quoted(database)} TO {quoted(role)};"
        )
    there = aside.rows(
        "SELECT has_schema_privilege(oid, 'CREATE, USAGE') FROM pg_namespace WHERE nspname = %s",
        [aside.name],
    )
    if there and not there[0][0]:
        lacks.append(
            f"to use the schema {aside.name}:"
            f" GRANT ALL ON SCHEMA {quoted(aside.name)} TO {quoted(role)};"
        )
    elif not there and not may_create:
        lacks.append(
            f"to make the schema {aside.name}:"
            f" CREATE SCHEMA {quoted(aside.name)} AUTHORIZATION {quoted(role)};"
        )
    for name in extensions:
        if aside.rows("SELECT 1 FROM pg_extension WHERE extname = %s", [name]):
            continue
        trusted = aside.rows(
            "SELECT trusted FROM pg_available_extension_versions WHERE name = %s", [name]
        )
        if not trusted:
            lacks.append(
                f"nothing, but the server has no extension {name}, which migrate needs: install"
                " postgresql-contrib on it."
            )
        elif not is_super and not (may_create and trusted[0][0]):
            lacks.append(
                f"to create the extension {name}, which migrate needs: let a superuser run"
                f" CREATE EXTENSION {quoted(name)};"
            )
    return lacks
