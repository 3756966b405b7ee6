"""What somebody may have done by hand to a database at head, on each engine."""

HELD = "foreign key ( guest_id ) references guests ( id ) deferrable initially deferred"

# What was done, and what is to be found: the kind, the thing, and the word for what is wrong.
ON_BOTH = {
    "column dropped": (
        "ALTER TABLE guests DROP COLUMN nationality",
        ["missing column guests.nationality"],
    ),
    "column added": (
        "ALTER TABLE guests ADD COLUMN shoe_size integer",
        ["extra column guests.shoe_size"],
    ),
    "table renamed": (
        "ALTER TABLE guests RENAME TO guests_of_2026",
        ["renamed table guests.guests"],
    ),
    "table renamed that others do not refer to, and a column of another dropped": (
        "ALTER TABLE daily_metrics RENAME TO figures; ALTER TABLE rooms DROP COLUMN notes",
        ["missing column rooms.notes", "renamed table daily_metrics.daily_metrics"],
    ),
    "column renamed": (
        "ALTER TABLE guests RENAME COLUMN notes TO remarks",
        ["renamed column guests.notes"],
    ),
    "index dropped": (
        "DROP INDEX guests_by_name_idx",
        ["missing index guests.guests_by_name_idx"],
    ),
    "index added": (
        "CREATE INDEX guests_by_country ON guests (nationality)",
        ["extra index guests.guests_by_country"],
    ),
    "index on other columns": (
        "DROP INDEX guests_by_name_idx; CREATE INDEX guests_by_name_idx ON guests (full_name)",
        ["different index guests.guests_by_name_idx"],
    ),
    "index in another order": (
        "DROP INDEX guests_by_name_idx;"
        " CREATE INDEX guests_by_name_idx ON guests (full_name DESC, id)",
        ["different index guests.guests_by_name_idx"],
    ),
    "index of some rows": (
        "DROP INDEX guests_by_name_idx;"
        " CREATE INDEX guests_by_name_idx ON guests (full_name, id) WHERE is_vip",
        ["different index guests.guests_by_name_idx"],
    ),
    "index that must be unique": (
        "DROP INDEX guests_by_name_idx;"
        " CREATE UNIQUE INDEX guests_by_name_idx ON guests (full_name, id)",
        ["different index guests.guests_by_name_idx"],
    ),
    "table dropped": ("DROP TABLE guest_images", ["missing table guest_images.guest_images"]),
}
ON_POSTGRESQL = {
    **ON_BOTH,
    "column made wider": (
        "ALTER TABLE guests ALTER COLUMN id_type TYPE varchar(60)",
        ["different column guests.id_type"],
    ),
    "column made narrower": (
        "ALTER TABLE guests ALTER COLUMN id_type TYPE varchar(40)",
        ["different column guests.id_type"],
    ),
    "column of another type": (
        "ALTER TABLE rooms ALTER COLUMN floor TYPE bigint",
        ["different column rooms.floor"],
    ),
    "money of another precision": (
        "ALTER TABLE discounts ALTER COLUMN discount_value TYPE numeric(14, 3)",
        ["different column discounts.discount_value"],
    ),
    "instants without their zone": (
        "ALTER TABLE guests ALTER COLUMN created_at"
        " TYPE timestamp USING created_at AT TIME ZONE 'UTC'",
        ["different column guests.created_at"],
    ),
    "default dropped": (
        "ALTER TABLE rooms ALTER COLUMN status DROP DEFAULT",
        ["different column rooms.status"],
    ),
    "default changed": (
        "ALTER TABLE rooms ALTER COLUMN housekeeping_status SET DEFAULT 'dirty'",
        ["different column rooms.housekeeping_status"],
    ),
    "default added": (
        "ALTER TABLE guests ALTER COLUMN nationality SET DEFAULT 'ID'",
        ["different column guests.nationality"],
    ),
    "NOT NULL dropped": (
        "ALTER TABLE guests ALTER COLUMN full_name DROP NOT NULL",
        ["different column guests.full_name"],
    ),
    "NOT NULL added": (
        "ALTER TABLE guests ALTER COLUMN nationality SET NOT NULL",
        ["different column guests.nationality"],
    ),
    "collation changed": (
        'ALTER TABLE guests ALTER COLUMN notes TYPE text COLLATE "C"',
        ["different column guests.notes"],
    ),
    "identity made stricter": (
        "ALTER TABLE guest_images ALTER COLUMN id SET GENERATED ALWAYS",
        ["different column guest_images.id"],
    ),
    "identity dropped": (
        "ALTER TABLE guest_images ALTER COLUMN id DROP IDENTITY",
        ["different column guest_images.id", "missing sequence guest_images.guest_images_id_seq"],
    ),
    "nights generated no more": (
        "ALTER TABLE reservations ALTER COLUMN number_of_nights DROP EXPRESSION",
        ["different column reservations.number_of_nights"],
    ),
    "nights generated otherwise": (
        "ALTER TABLE reservations DROP COLUMN number_of_nights;"
        " ALTER TABLE reservations ADD COLUMN number_of_nights integer"
        " GENERATED ALWAYS AS (check_out_date - check_in_date + 1) STORED",
        ["different column reservations.number_of_nights"],
    ),
    "index renamed": (
        "ALTER INDEX guests_by_name_idx RENAME TO guests_idx_1",
        ["renamed index guests.guests_by_name_idx"],
    ),
    "index by another method": (
        "DROP INDEX guests_key_part_idx;"
        " CREATE INDEX guests_key_part_idx ON guests USING gist (upper(search_key) gist_trgm_ops)",
        ["different index guests.guests_key_part_idx"],
    ),
    "index that is invalid": (
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'guests_by_name_idx'::regclass",
        ["different index guests.guests_by_name_idx"],
    ),
    "check dropped": (
        "ALTER TABLE rooms DROP CONSTRAINT rooms_status_known",
        ["missing constraint rooms.rooms_status_known"],
    ),
    "check added": (
        "ALTER TABLE guests ADD CONSTRAINT no_dots CHECK (full_name <> '.')",
        ["extra constraint guests.no_dots"],
    ),
    "check renamed": (
        "ALTER TABLE rooms RENAME CONSTRAINT rooms_status_known TO rooms_check",
        ["renamed constraint rooms.rooms_status_known"],
    ),
    "check of another body": (
        "ALTER TABLE daily_metrics DROP CONSTRAINT daily_metrics_out_of_order_within_rooms,"
        " ADD CONSTRAINT daily_metrics_out_of_order_within_rooms"
        " CHECK (rooms_out_of_order < rooms)",
        ["different constraint daily_metrics.daily_metrics_out_of_order_within_rooms"],
    ),
    "check not validated": (
        "ALTER TABLE daily_metrics DROP CONSTRAINT daily_metrics_out_of_order_within_rooms,"
        " ADD CONSTRAINT daily_metrics_out_of_order_within_rooms"
        " CHECK (rooms_out_of_order <= rooms) NOT VALID",
        ["different constraint daily_metrics.daily_metrics_out_of_order_within_rooms"],
    ),
    "unique dropped": (
        "ALTER TABLE daily_metrics DROP CONSTRAINT daily_metrics_day_and_type_once",
        ["missing constraint daily_metrics.daily_metrics_day_and_type_once"],
    ),
    "unique on other columns": (
        "ALTER TABLE daily_metrics DROP CONSTRAINT daily_metrics_day_and_type_once,"
        " ADD CONSTRAINT daily_metrics_day_and_type_once UNIQUE (day, room_type_id, rooms)",
        ["different constraint daily_metrics.daily_metrics_day_and_type_once"],
    ),
    "primary key dropped": (
        "ALTER TABLE daily_metrics DROP CONSTRAINT daily_metrics_pkey",
        ["missing constraint daily_metrics.daily_metrics_pkey"],
    ),
    "exclusion dropped": (
        "ALTER TABLE stay_parts DROP CONSTRAINT stay_parts_no_double_booking",
        ["missing constraint stay_parts.stay_parts_no_double_booking"],
    ),
    "foreign key dropped": (
        "ALTER TABLE guest_images DROP CONSTRAINT <fk>",
        ["missing foreign key guest_images.<fk>"],
    ),
    "foreign key that deletes": (
        "ALTER TABLE guest_images DROP CONSTRAINT <fk>,"
        " ADD CONSTRAINT <fk> FOREIGN KEY (guest_id) REFERENCES guests (id)"
        " ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED",
        ["different foreign key guest_images.<fk>"],
    ),
    "foreign key that does not wait": (
        "ALTER TABLE guest_images ALTER CONSTRAINT <fk> NOT DEFERRABLE",
        ["different foreign key guest_images.<fk>"],
    ),
    "foreign key not validated": (
        "ALTER TABLE guest_images DROP CONSTRAINT <fk>,"
        " ADD CONSTRAINT <fk> FOREIGN KEY (guest_id) REFERENCES guests (id)"
        " DEFERRABLE INITIALLY DEFERRED NOT VALID",
        ["different foreign key guest_images.<fk>"],
    ),
    "foreign key renamed": (
        "ALTER TABLE guest_images RENAME CONSTRAINT <fk> TO fk_1",
        ["renamed foreign key guest_images.<fk>"],
    ),
    "foreign keys turned off": (
        "ALTER TABLE guest_images DISABLE TRIGGER ALL",
        ["different table guest_images.guest_images"],
    ),
    "trigger dropped": (
        "DROP TRIGGER rooms_status_known_exempt ON rooms",
        ["missing trigger rooms.rooms_status_known_exempt"],
    ),
    "trigger added": (
        "CREATE TRIGGER audit BEFORE DELETE ON guests FOR EACH ROW"
        " EXECUTE FUNCTION migrator_append_only()",
        ["extra trigger guests.audit"],
    ),
    "trigger renamed": (
        "ALTER TRIGGER rooms_status_known_exempt ON rooms RENAME TO exempt_1",
        ["renamed trigger rooms.rooms_status_known_exempt"],
    ),
    "trigger turned off": (
        "ALTER TABLE rooms DISABLE TRIGGER rooms_status_known_exempt",
        ["different trigger rooms.rooms_status_known_exempt"],
    ),
    "trigger of other columns": (
        "DROP TRIGGER rooms_status_known_exempt ON rooms;"
        " CREATE TRIGGER rooms_status_known_exempt BEFORE INSERT OR UPDATE ON rooms FOR EACH ROW"
        " WHEN (NEW.exemptions IS NOT NULL)"
        " EXECUTE FUNCTION migrator_end_exemption('rooms_status_known', 'floor')",
        ["different trigger rooms.rooms_status_known_exempt"],
    ),
    "trigger whose function does nothing": (
        "CREATE OR REPLACE FUNCTION migrator_end_exemption() RETURNS trigger LANGUAGE plpgsql"
        " AS 'BEGIN RETURN NEW; END'",
        ["different function .migrator_end_exemption"],
    ),
    "rows that some do not see": (
        "CREATE POLICY vips ON guests USING (is_vip);"
        " ALTER TABLE guests ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY",
        ["different table guests.guests", "extra policy guests.vips"],
    ),
    "rule added": (
        "CREATE RULE stays AS ON DELETE TO guests DO INSTEAD NOTHING",
        ["extra rule guests.stays"],
    ),
    "sequence of another step": (
        "ALTER SEQUENCE guests_id_seq INCREMENT 10",
        ["different sequence guests.guests_id_seq"],
    ),
    "sequence that ends early": (
        "ALTER SEQUENCE guests_id_seq MAXVALUE 1000",
        ["different sequence guests.guests_id_seq"],
    ),
    "sequence that begins again": (
        "ALTER SEQUENCE guests_id_seq CYCLE",
        ["different sequence guests.guests_id_seq"],
    ),
    "sequence renamed": (
        "ALTER SEQUENCE guests_id_seq RENAME TO guests_keys",
        ["renamed sequence guests.guests_id_seq"],
    ),
    "table that does not survive a crash": (
        "ALTER TABLE daily_metrics SET UNLOGGED",
        ["different table daily_metrics.daily_metrics"],
    ),
    "extension dropped": (
        "DROP EXTENSION pg_trgm CASCADE",
        [
            "missing extension .pg_trgm",
            "missing index guests.guests_key_part_idx",
            "missing index payments.payments_reference_part_idx",
            "missing index payments.payments_transaction_part_idx",
            "missing index reservations.reservations_number_part_idx",
        ],
    ),
}


def edited(table, old, new):
    """A table of SQLite whose text is another, as if somebody had made it anew by hand."""
    return table, old, new


ON_SQLITE = {
    **ON_BOTH,
    "column made wider": (
        edited("guests", '"id_type" varchar(50)', '"id_type" varchar(60)'),
        ["different column guests.id_type"],
    ),
    "column made narrower": (
        edited("guests", '"id_type" varchar(50)', '"id_type" varchar(5)'),
        ["different column guests.id_type"],
    ),
    "column of another type": (
        edited("rooms", '"floor" integer', '"floor" text'),
        ["different column rooms.floor"],
    ),
    "money kept as text": (
        edited("discounts", '"discount_value" decimal', '"discount_value" text'),
        ["different column discounts.discount_value"],
    ),
    "default dropped": (
        edited("rooms", "DEFAULT 'available' ", ""),
        ["different column rooms.status"],
    ),
    "default changed": (
        edited("rooms", "DEFAULT 'clean'", "DEFAULT 'dirty'"),
        ["different column rooms.housekeeping_status"],
    ),
    "default added": (
        edited("guests", '"nationality" varchar(50)', "\"nationality\" varchar(50) DEFAULT 'ID'"),
        ["different column guests.nationality"],
    ),
    "NOT NULL dropped": (
        edited("guests", '"full_name" varchar(100) NOT NULL', '"full_name" varchar(100)'),
        ["different column guests.full_name"],
    ),
    "NOT NULL added": (
        edited("guests", '"nationality" varchar(50) NULL', '"nationality" varchar(50) NOT NULL'),
        ["different column guests.nationality"],
    ),
    "collation changed": (
        edited("guests", '"notes" text NULL', '"notes" text COLLATE NOCASE NULL'),
        ["different column guests.notes"],
    ),
    "NOT NULL that says nothing": (
        edited(
            "guests",
            '"full_name" varchar(100) NOT NULL',
            '"full_name" varchar(100) NOT NULL ON CONFLICT IGNORE',
        ),
        ["different column guests.full_name"],
    ),
    "keys that replace rows": (
        edited("guest_images", "PRIMARY KEY", "PRIMARY KEY ON CONFLICT REPLACE"),
        [
            "extra constraint guest_images.primary key ( id ) on conflict replace",
            "missing constraint guest_images.primary key ( id )",
        ],
    ),
    "keys used again": (
        edited("guest_images", " AUTOINCREMENT", ""),
        ["different column guest_images.id"],
    ),
    "nights generated otherwise": (
        edited(
            "reservations", 'julianday("check_out_date") -', '1 + julianday("check_out_date") -'
        ),
        ["different column reservations.number_of_nights"],
    ),
    "index renamed": (
        "DROP INDEX guests_by_name_idx; CREATE INDEX guests_idx_1 ON guests (full_name, id)",
        ["renamed index guests.guests_by_name_idx"],
    ),
    "index of all rows": (
        "DROP INDEX reservations_one_stay_in_house_key;"
        " CREATE INDEX reservations_one_stay_in_house_key ON reservations (room_id)",
        ["different index reservations.reservations_one_stay_in_house_key"],
    ),
    "index with a collation": (
        "DROP INDEX guests_by_name_idx;"
        " CREATE INDEX guests_by_name_idx ON guests (full_name COLLATE NOCASE, id)",
        ["different index guests.guests_by_name_idx"],
    ),
    "index that need not be unique": (
        "DROP INDEX users_groups_user_id_group_id_fc7788e8_uniq; CREATE INDEX"
        " users_groups_user_id_group_id_fc7788e8_uniq ON users_groups (user_id, group_id)",
        ["different index users_groups.users_groups_user_id_group_id_fc7788e8_uniq"],
    ),
    "check dropped": (
        edited(
            "daily_metrics",
            ', CONSTRAINT "daily_metrics_revenue_not_negative" CHECK ("room_revenue" >= \'0\')',
            "",
        ),
        ["missing constraint daily_metrics.daily_metrics_revenue_not_negative"],
    ),
    "check added": (
        edited(
            "guests",
            '"full_name" varchar(100) NOT NULL',
            '"full_name" varchar(100) NOT NULL CONSTRAINT "no_dots" CHECK ("full_name" <> \'.\')',
        ),
        ["extra constraint guests.no_dots"],
    ),
    "check renamed": (
        edited("rooms", 'CONSTRAINT "rooms_status_known"', 'CONSTRAINT "rooms_check"'),
        ["renamed constraint rooms.rooms_status_known"],
    ),
    "check of another body": (
        edited("rooms", "'available', 'occupied', 'maintenance'", "'available', 'occupied'"),
        ["different constraint rooms.rooms_status_known"],
    ),
    "check that means the opposite": (
        edited(
            "daily_metrics", '"rooms_out_of_order" <= ("rooms")', '"rooms_out_of_order" > ("rooms")'
        ),
        ["different constraint daily_metrics.daily_metrics_out_of_order_within_rooms"],
    ),
    "check in other brackets": (
        edited(
            "rooms",
            "((\"custom_rate\" BETWEEN '0' AND '9999999999.99') OR"
            " json_extract(exemptions, '$.rooms_rate_in_range') IS NOT NULL)",
            "(\"custom_rate\" BETWEEN '0' AND ('9999999999.99' OR"
            " json_extract(exemptions, '$.rooms_rate_in_range') IS NOT NULL))",
        ),
        ["different constraint rooms.rooms_rate_in_range"],
    ),
    "unique dropped": (
        'CREATE TABLE other ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,'
        ' "owner" varchar(255) NOT NULL, "last_key" varchar(255) NOT NULL,'
        ' "rows_read" bigint NOT NULL, "rows_changed" bigint NOT NULL,'
        ' "rows_archived" bigint NOT NULL); DROP TABLE migrator_cursor;'
        " ALTER TABLE other RENAME TO migrator_cursor",
        ["missing constraint migrator_cursor.unique ( owner )"],
    ),
    "unique added": (
        edited("room_types", '"name" varchar(100) NOT NULL', '"name" varchar(100) NOT NULL UNIQUE'),
        ["extra constraint room_types.unique ( name )"],
    ),
    "foreign key dropped": (
        edited(
            "guest_images",
            '"guest_id" integer NOT NULL REFERENCES "guests" ("id") DEFERRABLE INITIALLY DEFERRED',
            '"guest_id" integer NOT NULL',
        ),
        [f"missing foreign key guest_images.{HELD}"],
    ),
    "foreign key that deletes": (
        edited(
            "guest_images",
            'REFERENCES "guests" ("id") DEF',
            'REFERENCES "guests" ("id") ON DELETE CASCADE DEF',
        ),
        [
            "extra foreign key guest_images.foreign key ( guest_id ) references guests ( id )"
            " on delete cascade deferrable initially deferred",
            f"missing foreign key guest_images.{HELD}",
        ],
    ),
    "foreign key that does not wait": (
        edited(
            "guest_images",
            'REFERENCES "guests" ("id") DEFERRABLE INITIALLY DEFERRED',
            'REFERENCES "guests" ("id")',
        ),
        [
            "extra foreign key guest_images.foreign key ( guest_id ) references guests ( id )",
            f"missing foreign key guest_images.{HELD}",
        ],
    ),
    "foreign key to another table": (
        edited("guest_images", 'REFERENCES "guests" ("id")', 'REFERENCES "rooms" ("id")'),
        [
            "extra foreign key guest_images.foreign key ( guest_id ) references rooms ( id )"
            " deferrable initially deferred",
            f"missing foreign key guest_images.{HELD}",
        ],
    ),
    "trigger dropped": (
        "DROP TRIGGER rooms_status_known_new",
        ["missing trigger rooms.rooms_status_known_new"],
    ),
    "trigger added": (
        "CREATE TRIGGER audit BEFORE DELETE ON guests BEGIN SELECT 1; END",
        ["extra trigger guests.audit"],
    ),
    "trigger that does nothing": (
        "DROP TRIGGER reservations_one_stay_in_house_deleted; CREATE TRIGGER"
        " reservations_one_stay_in_house_deleted AFTER DELETE ON reservations"
        " BEGIN SELECT 1; END",
        ["different trigger reservations.reservations_one_stay_in_house_deleted"],
    ),
    "trigger of another event": (
        "DROP TRIGGER reservations_number_unique_deleted; CREATE TRIGGER"
        " reservations_number_unique_deleted AFTER INSERT ON reservations BEGIN DELETE FROM"
        " migrator_conflicts WHERE rule = 'reservations_number_unique'"
        " AND OLD.id IN (one, other); END",
        ["different trigger reservations.reservations_number_unique_deleted"],
    ),
    "trigger of one column less": (
        edited(
            "reservations_one_stay_in_house_updated", ', "status", exemptions ON', ", exemptions ON"
        ),
        ["different trigger reservations.reservations_one_stay_in_house_updated"],
    ),
    "table dropped that triggers write to": (
        "DROP TABLE migrator_conflicts",
        ["missing table migrator_conflicts.migrator_conflicts"],
    ),
    "table left by a rebuild that was cut off": (
        'CREATE TABLE "new__rooms" (id integer)',
        ["extra table new__rooms.new__rooms"],
    ),
}
