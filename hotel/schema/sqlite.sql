-- The whole schema on SQLite, for reading, and for a database without tables.
-- Written by: manage.py db snapshot. It stands for 130 migrations.
-- checksum: 49cc28ed09a31fe854b0f361a17e3625
BEGIN;

CREATE TABLE "auth_group" (
    "id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    "name" varchar(150) NOT NULL UNIQUE
);

CREATE TABLE "axes_accessattempt" (
    "id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    "user_agent" varchar(255) NOT NULL,
    "ip_address" char(39) NULL,
    "username" varchar(255) NULL,
    "http_accept" varchar(1025) NOT NULL,
    "path_info" varchar(255) NOT NULL,
    "attempt_time" datetime NOT NULL,
    "get_data" text NOT NULL,
    "post_data" text NOT NULL,
    "failures_since_start" integer unsigned NOT NULL CHECK ("failures_since_start" >= 0)
);
CREATE INDEX "axes_accessattempt_ip_address_10922d9c" ON "axes_accessattempt" ("ip_address");
CREATE INDEX "axes_accessattempt_user_agent_ad89678b" ON "axes_accessattempt" ("user_agent");
CREATE INDEX "axes_accessattempt_username_3f2d4ca0" ON "axes_accessattempt" ("username");
CREATE UNIQUE INDEX "axes_accessattempt_username_ip_address_user_agent_8ea22282_uniq" ON "axes_accessattempt" ("username", "ip_address", "user_agent");

CREATE TABLE "axes_accessfailurelog" (
    "id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    "user_agent" varchar(255) NOT NULL,
    "ip_address" char(39) NULL,
    "username" varchar(255) NULL,
    "http_accept" varchar(1025) NOT NULL,
    "path_info" varchar(255) NOT NULL,
    "attempt_time" datetime NOT NULL,
    "locked_out" bool NOT NULL
);
CREATE INDEX "axes_accessfailurelog_ip_address_2e9f5a7f" ON "axes_accessfailurelog" ("ip_address");
CREATE INDEX "axes_accessfailurelog_user_agent_ea145dda" ON "axes_accessfailurelog" ("user_agent");
CREATE INDEX "axes_accessfailurelog_username_a8b7e8a4" ON "axes_accessfailurelog" ("username");

CREATE TABLE "axes_accesslog" (
    "id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    "user_agent" varchar(255) NOT NULL,
    "ip_address" char(39) NULL,
    "username" varchar(255) NULL,
    "http_accept" varchar(1025) NOT NULL,
    "path_info" varchar(255) NOT NULL,
    "attempt_time" datetime NOT NULL,
    "logout_time" datetime NULL,
    "session_hash" varchar(64) NOT NULL
);
CREATE INDEX "axes_accesslog_ip_address_86b417e5" ON "axes_accesslog" ("ip_address");
CREATE INDEX "axes_accesslog_user_agent_0e659004" ON "axes_accesslog" ("user_agent");
CREATE INDEX "axes_accesslog_username_df93064b" ON "axes_accesslog" ("username");

CREATE TABLE "booking_channels" (
    "id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    "name" varchar(100) NOT NULL UNIQUE,
    "code" varchar(20) NOT NULL UNIQUE,
    "description" text NULL,
    "channel_type" varchar(50) NOT NULL,
    "api_url" varchar(255) NULL,
    "api_key" varchar(255) NULL,
    "api_secret" varchar(255) NULL,
    "webhook_url" varchar(255) NULL,
    "is_enabled" bool NULL,
    "auto_confirm" bool NULL,
    "sync_enabled" bool NULL,
    "sync_interval_minutes" integer NULL,
    "commission_percentage" decimal NULL,
    "commission_fixed_amount" decimal NULL,
    "support_contact" varchar(255) NULL,
    "support_email" varchar(100) NULL,
    "created_at" datetime NULL,
    "updated_at" datetime NULL
);

CREATE TABLE "django_content_type" (
    "id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    "app_label" varchar(100) NOT NULL,
    "model" varchar(100) NOT NULL
);
CREATE UNIQUE INDEX "django_content_type_app_label_model_76bd3d3b_uniq" ON "django_content_type" ("app_label", "model");

CREATE TABLE "django_migrations" (
    "id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    "app" varchar(255) NOT NULL,
    "name" varchar(255) NOT NULL,
    "applied" datetime NOT NULL
);

CREATE TABLE "django_session" (
    "session_key" varchar(40) NOT NULL PRIMARY KEY,
    "session_data" text NOT NULL,
    "expire_date" datetime NOT NULL
);
CREATE INDEX "django_session_expire_date_a5c62663" ON "django_session" ("expire_date");

CREATE TABLE "expenses" (
    "id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    "date" datetime NOT NULL,
    "category" varchar(50) NOT NULL,
    "amount" decimal NOT NULL,
    "description" text NULL,
    "receipt_url" varchar(500) NULL,
    "created_at" datetime NULL,
    "updated_at" datetime NULL,
    "currency" varchar(3) DEFAULT 'IDR' NOT NULL,
    CONSTRAINT "expenses_currency_is_code" CHECK (("currency" GLOB '[A-Z][A-Z][A-Z]'))
);

CREATE TABLE "migrator_archive" (
    "id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    "owner" varchar(255) NOT NULL,
    "table_name" varchar(63) NOT NULL,
    "column_name" varchar(63) NOT NULL,
    "row_key" varchar(255) NOT NULL,
    "original" text NULL,
    "became" text NULL,
    "archived_at" datetime DEFAULT (STRFTIME('%Y-%m-%d %H:%M:%f', 'NOW')) NOT NULL,
    CONSTRAINT "migrator_archive_once" UNIQUE ("owner", "table_name", "column_name", "row_key")
);

CREATE TABLE migrator_conflicts (
    id integer PRIMARY KEY AUTOINCREMENT,
    rule text NOT NULL,
    one integer NOT NULL,
    other integer NOT NULL,
    never integer NOT NULL DEFAULT 0 CHECK (never = 0)
        REFERENCES migrator_conflicts (id) DEFERRABLE INITIALLY DEFERRED
);

CREATE TABLE "migrator_cursor" (
    "id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    "owner" varchar(255) NOT NULL UNIQUE,
    "last_key" varchar(255) NOT NULL,
    "rows_read" bigint NOT NULL,
    "rows_changed" bigint NOT NULL,
    "rows_archived" bigint NOT NULL
);

CREATE TABLE "migrator_journal" (
    "id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    "run" char(32) NOT NULL,
    "event" varchar(10) NOT NULL,
    "app" varchar(255) NOT NULL,
    "name" varchar(255) NOT NULL,
    "direction" varchar(10) NOT NULL,
    "is_fake" bool NOT NULL,
    "operation" integer NULL,
    "checksum" varchar(64) NOT NULL,
    "seconds" real NULL,
    "rows" bigint NULL,
    "error" text NULL,
    "remark" text NULL,
    "actor" varchar(255) NOT NULL,
    "host" varchar(255) NOT NULL,
    "process" integer NOT NULL,
    "code_version" varchar(255) NOT NULL,
    "at" datetime DEFAULT (STRFTIME('%Y-%m-%d %H:%M:%f', 'NOW')) NOT NULL
);
CREATE INDEX "migrator_journal_migration" ON "migrator_journal" ("app", "name");
CREATE TRIGGER "migrator_journal_append_only_delete" BEFORE DELETE ON "migrator_journal"  BEGIN SELECT RAISE(ABORT, 'migrator_journal_append_only'); END;
CREATE TRIGGER "migrator_journal_append_only_insert" BEFORE INSERT ON "migrator_journal" WHEN EXISTS (SELECT 1 FROM "migrator_journal" WHERE "id" = NEW."id") BEGIN SELECT RAISE(ABORT, 'migrator_journal_append_only'); END;
CREATE TRIGGER "migrator_journal_append_only_update" BEFORE UPDATE ON "migrator_journal"  BEGIN SELECT RAISE(ABORT, 'migrator_journal_append_only'); END;

CREATE TABLE "room_types" (
    "id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    "name" varchar(100) NOT NULL,
    "code" varchar(10) NOT NULL UNIQUE,
    "description" text NULL,
    "base_capacity_adults" integer NULL,
    "base_capacity_children" integer NULL,
    "bed_config" varchar(100) NULL,
    "default_rate" decimal NOT NULL,
    "amenities" text NULL,
    "max_occupancy" integer NULL,
    "is_active" bool NULL,
    "created_at" datetime NULL,
    "updated_at" datetime NULL,
    "exemptions" text NULL CHECK ((JSON_VALID("exemptions") OR "exemptions" IS NULL)),
    CONSTRAINT "room_types_rate_in_range" CHECK (("default_rate" BETWEEN '0' AND '9999999999.99') OR json_extract(exemptions, '$.room_types_rate_in_range') IS NOT NULL)
);
CREATE TRIGGER "room_types_rate_in_range_changed" AFTER UPDATE OF "default_rate", exemptions ON "room_types" WHEN json_extract(NEW.exemptions, '$.room_types_rate_in_range') IS NOT NULL AND (OLD."default_rate" IS NOT NEW."default_rate" OR json_extract(OLD.exemptions, '$.room_types_rate_in_range') IS NOT json_extract(NEW.exemptions, '$.room_types_rate_in_range')) BEGIN UPDATE "room_types" SET exemptions = nullif(json_remove(exemptions, '$.room_types_rate_in_range'), '{}') WHERE "id" = NEW."id"; END;
CREATE TRIGGER "room_types_rate_in_range_new" AFTER INSERT ON "room_types" WHEN json_extract(NEW.exemptions, '$.room_types_rate_in_range') IS NOT NULL BEGIN UPDATE "room_types" SET exemptions = nullif(json_remove(exemptions, '$.room_types_rate_in_range'), '{}') WHERE "id" = NEW."id"; END;

CREATE TABLE "sent_forms" (
    "id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    "key" varchar(64) NOT NULL,
    "model" varchar(100) NOT NULL,
    "row" varchar(64) NOT NULL,
    "sent_at" datetime NOT NULL,
    CONSTRAINT "sent_forms_key_once" UNIQUE ("key")
);

CREATE TABLE "settings" (
    "id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    "setting_key" varchar(100) NOT NULL UNIQUE,
    "setting_value" text NULL,
    "setting_type" varchar(20) NULL,
    "is_editable" bool NULL,
    "description" text NULL,
    "category" varchar(50) NULL,
    "created_at" datetime NULL,
    "updated_at" datetime NULL
);

CREATE TABLE "users" (
    "id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    "username" varchar(50) NOT NULL UNIQUE,
    "password_hash" varchar(255) NOT NULL,
    "email" varchar(100) NULL,
    "full_name" varchar(100) NULL,
    "phone" varchar(20) NULL,
    "last_login" datetime NULL,
    "created_at" datetime NULL,
    "updated_at" datetime NULL,
    "is_active" bool DEFAULT 1 NOT NULL,
    "is_staff" bool DEFAULT 0 NOT NULL,
    "is_superuser" bool DEFAULT 0 NOT NULL,
    "exemptions" text NULL CHECK ((JSON_VALID("exemptions") OR "exemptions" IS NULL))
);
CREATE INDEX "users_email_idx" ON "users" ("email");
CREATE INDEX "users_username_unique_key" ON "users" (LOWER("username"));
CREATE TRIGGER "users_username_unique_changed" AFTER UPDATE OF "username", exemptions ON "users" WHEN json_extract(NEW.exemptions, '$.users_username_unique') IS NOT NULL AND (OLD."username" IS NOT NEW."username" OR json_extract(OLD.exemptions, '$.users_username_unique') IS NOT json_extract(NEW.exemptions, '$.users_username_unique')) BEGIN UPDATE "users" SET exemptions = nullif(json_remove(exemptions, '$.users_username_unique'), '{}') WHERE "id" = NEW."id"; END;
CREATE TRIGGER "users_username_unique_deleted" AFTER DELETE ON "users" BEGIN DELETE FROM migrator_conflicts WHERE rule = 'users_username_unique' AND OLD."id" IN (one, other); END;
CREATE TRIGGER "users_username_unique_inserted" AFTER INSERT ON "users" BEGIN DELETE FROM migrator_conflicts WHERE rule = 'users_username_unique' AND NEW."id" IN (one, other); INSERT INTO migrator_conflicts (rule, one, other) SELECT 'users_username_unique', one.key, other.key FROM (SELECT "id" AS key, LOWER("username") AS same0, json_extract(exemptions, '$.users_username_unique') IS NOT NULL AS exempt FROM "users" WHERE "id" = NEW."id") AS one JOIN (SELECT "id" AS key, LOWER("username") AS same0, json_extract(exemptions, '$.users_username_unique') IS NOT NULL AS exempt FROM "users") AS other ON one.same0 = other.same0 AND one.key <> other.key AND NOT (one.exempt AND other.exempt); END;
CREATE TRIGGER "users_username_unique_new" AFTER INSERT ON "users" WHEN json_extract(NEW.exemptions, '$.users_username_unique') IS NOT NULL BEGIN UPDATE "users" SET exemptions = nullif(json_remove(exemptions, '$.users_username_unique'), '{}') WHERE "id" = NEW."id"; END;
CREATE TRIGGER "users_username_unique_updated" AFTER UPDATE OF "id", "username", exemptions ON "users" BEGIN DELETE FROM migrator_conflicts WHERE rule = 'users_username_unique' AND OLD."id" IN (one, other); INSERT INTO migrator_conflicts (rule, one, other) SELECT 'users_username_unique', one.key, other.key FROM (SELECT "id" AS key, LOWER("username") AS same0, json_extract(exemptions, '$.users_username_unique') IS NOT NULL AS exempt FROM "users" WHERE "id" = NEW."id") AS one JOIN (SELECT "id" AS key, LOWER("username") AS same0, json_extract(exemptions, '$.users_username_unique') IS NOT NULL AS exempt FROM "users") AS other ON one.same0 = other.same0 AND one.key <> other.key AND NOT (one.exempt AND other.exempt); END;

CREATE TABLE "auth_permission" (
    "id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    "content_type_id" integer NOT NULL REFERENCES "django_content_type" ("id") DEFERRABLE INITIALLY DEFERRED,
    "codename" varchar(100) NOT NULL,
    "name" varchar(255) NOT NULL
);
CREATE INDEX "auth_permission_content_type_id_2f476e4b" ON "auth_permission" ("content_type_id");
CREATE UNIQUE INDEX "auth_permission_content_type_id_codename_01ab375a_uniq" ON "auth_permission" ("content_type_id", "codename");

CREATE TABLE "axes_accessattemptexpiration" (
    "access_attempt_id" integer NOT NULL PRIMARY KEY REFERENCES "axes_accessattempt" ("id") DEFERRABLE INITIALLY DEFERRED,
    "expires_at" datetime NOT NULL
);

CREATE TABLE "business_days" (
    "id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    "day" date NOT NULL UNIQUE,
    "closed_at" datetime NULL,
    "closed_by_id" integer NULL REFERENCES "users" ("id") DEFERRABLE INITIALLY DEFERRED,
    "reopened_at" datetime NULL,
    "reopened_by_id" integer NULL REFERENCES "users" ("id") DEFERRABLE INITIALLY DEFERRED,
    "reopen_reason" text NULL,
    CONSTRAINT "business_days_closed_or_reopened" CHECK ((("closed_at" IS NOT NULL AND "closed_by_id" IS NOT NULL AND "reopen_reason" IS NULL AND "reopened_at" IS NULL AND "reopened_by_id" IS NULL) OR ("closed_at" IS NULL AND "closed_by_id" IS NULL AND "reopen_reason" IS NOT NULL AND "reopened_at" IS NOT NULL AND "reopened_by_id" IS NOT NULL)))
);
CREATE INDEX "business_days_closed_by_id_dc048690" ON "business_days" ("closed_by_id");
CREATE INDEX "business_days_reopened_by_id_e0669992" ON "business_days" ("reopened_by_id");
CREATE TRIGGER "business_days_closed_in_order_delete" BEFORE DELETE ON "business_days" WHEN OLD."closed_at" IS NOT NULL BEGIN SELECT RAISE(ABORT, 'business_days_closed_in_order'); END;
CREATE TRIGGER "business_days_closed_in_order_insert" BEFORE INSERT ON "business_days" WHEN EXISTS (SELECT 1 FROM "business_days" WHERE "closed_at" IS NOT NULL AND ("business_days"."id" = NEW."id" OR "day" = NEW."day")) OR NEW."closed_at" IS NOT NULL AND EXISTS (SELECT 1 FROM "business_days" WHERE "closed_at" IS NOT NULL AND "day" > NEW."day") BEGIN SELECT RAISE(ABORT, 'business_days_closed_in_order'); END;
CREATE TRIGGER "business_days_closed_in_order_update" BEFORE UPDATE ON "business_days" WHEN CASE WHEN OLD."closed_at" IS NULL THEN NEW."closed_at" IS NOT NULL AND EXISTS (SELECT 1 FROM "business_days" WHERE "closed_at" IS NOT NULL AND "day" > NEW."day") ELSE NOT (NEW."closed_at" IS NULL AND coalesce(NEW."reopen_reason", '') <> '' AND OLD."day" = NEW."day" AND NOT EXISTS (SELECT 1 FROM "business_days" WHERE "closed_at" IS NOT NULL AND "day" > NEW."day")) END BEGIN SELECT RAISE(ABORT, 'business_days_closed_in_order'); END;

CREATE TABLE "daily_adjustments" (
    "id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    "adjusted_on" date NOT NULL,
    "day" date NOT NULL,
    "room_type_id" integer NOT NULL REFERENCES "room_types" ("id") DEFERRABLE INITIALLY DEFERRED,
    "rooms_sold" integer NOT NULL,
    "room_revenue" decimal NOT NULL,
    "arrivals" integer NOT NULL,
    "departures" integer NOT NULL,
    "cancellations" integer NOT NULL,
    "no_shows" integer NOT NULL,
    CONSTRAINT "daily_adjustments_once" UNIQUE ("adjusted_on", "day", "room_type_id"),
    CONSTRAINT "daily_adjustments_of_days_before" CHECK ("day" < ("adjusted_on"))
);
CREATE INDEX "daily_adjustments_room_type_id_e8c310ec" ON "daily_adjustments" ("room_type_id");
CREATE TRIGGER "daily_adjustments_of_closed_days_delete" BEFORE DELETE ON "daily_adjustments" WHEN EXISTS (SELECT 1 FROM "business_days" WHERE "business_days"."closed_at" IS NOT NULL AND "business_days"."day" = OLD."adjusted_on") BEGIN SELECT RAISE(ABORT, 'daily_adjustments_of_closed_days'); END;
CREATE TRIGGER "daily_adjustments_of_closed_days_insert" BEFORE INSERT ON "daily_adjustments" WHEN EXISTS (SELECT 1 FROM "business_days" WHERE "business_days"."closed_at" IS NOT NULL AND "business_days"."day" = NEW."adjusted_on") OR EXISTS (SELECT 1 FROM "business_days" WHERE "business_days"."closed_at" IS NOT NULL AND "business_days"."day" IN (SELECT "adjusted_on" FROM "daily_adjustments" WHERE "id" = NEW."id")) BEGIN SELECT RAISE(ABORT, 'daily_adjustments_of_closed_days'); END;
CREATE TRIGGER "daily_adjustments_of_closed_days_update" BEFORE UPDATE ON "daily_adjustments" WHEN (true) AND EXISTS (SELECT 1 FROM "business_days" WHERE "business_days"."closed_at" IS NOT NULL AND "business_days"."day" IN (OLD."adjusted_on", NEW."adjusted_on")) BEGIN SELECT RAISE(ABORT, 'daily_adjustments_of_closed_days'); END;

CREATE TABLE "discounts" (
    "id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    "name" varchar(100) NOT NULL,
    "code" varchar(20) NULL UNIQUE,
    "description" text NULL,
    "discount_type" varchar(20) NOT NULL,
    "discount_value" decimal NOT NULL,
    "max_discount_amount" decimal NULL,
    "applicable_room_types" text NULL,
    "applicable_guests" text NULL,
    "valid_from" date NULL,
    "valid_until" date NULL,
    "usage_limit" integer NULL,
    "usage_count" integer NULL,
    "min_stay_nights" integer NULL,
    "min_booking_amount" decimal NULL,
    "max_bookings_per_guest" integer NULL,
    "status" varchar(20) NULL,
    "is_auto_applied" bool NULL,
    "created_at" datetime NULL,
    "updated_at" datetime NULL,
    "created_by" integer NULL REFERENCES "users" ("id") DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX "discounts_created_by_fd703cd7" ON "discounts" ("created_by");

CREATE TABLE "django_admin_log" (
    "id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    "object_id" text NULL,
    "object_repr" varchar(200) NOT NULL,
    "action_flag" smallint unsigned NOT NULL CHECK ("action_flag" >= 0),
    "change_message" text NOT NULL,
    "content_type_id" integer NULL REFERENCES "django_content_type" ("id") DEFERRABLE INITIALLY DEFERRED,
    "user_id" integer NOT NULL REFERENCES "users" ("id") DEFERRABLE INITIALLY DEFERRED,
    "action_time" datetime NOT NULL
);
CREATE INDEX "django_admin_log_content_type_id_c4bce8eb" ON "django_admin_log" ("content_type_id");
CREATE INDEX "django_admin_log_user_id_c564eba6" ON "django_admin_log" ("user_id");

CREATE TABLE "guests" (
    "id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    "search_key" text DEFAULT '' NOT NULL,
    "full_name" varchar(100) NOT NULL,
    "email" varchar(100) NULL,
    "phone" varchar(20) NULL,
    "phone_country_code" varchar(5) NULL,
    "id_type" varchar(50) NULL,
    "id_number" varchar(50) NULL,
    "nationality" varchar(50) NULL,
    "birth_date" date NULL,
    "notes" text NULL,
    "is_vip" bool NULL,
    "created_at" datetime NULL,
    "updated_at" datetime NULL,
    "preferred_room_type_id" integer NULL REFERENCES "room_types" ("id") DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX "guests_by_name_idx" ON "guests" ("full_name", "id");
CREATE INDEX "guests_preferred_room_type_id_913ee5d5" ON "guests" ("preferred_room_type_id");

CREATE TABLE "room_type_images" (
    "id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    "image_name" varchar(255) NOT NULL,
    "image_type" varchar(20) NOT NULL,
    "image_path" varchar(500) NOT NULL,
    "storage_location" varchar(50) NOT NULL,
    "file_size_bytes" integer NULL,
    "mime_type" varchar(100) NULL,
    "original_filename" varchar(255) NULL,
    "image_width" integer NULL,
    "image_height" integer NULL,
    "description" text NULL,
    "display_order" integer NULL,
    "is_active" bool NULL,
    "created_at" datetime NULL,
    "updated_at" datetime NULL,
    "room_type_id" integer NOT NULL REFERENCES "room_types" ("id") DEFERRABLE INITIALLY DEFERRED,
    "uploaded_by" integer NULL REFERENCES "users" ("id") DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX "room_type_images_room_type_id_ac7a7d47" ON "room_type_images" ("room_type_id");
CREATE INDEX "room_type_images_uploaded_by_2fa4b673" ON "room_type_images" ("uploaded_by");

CREATE TABLE "rooms" (
    "id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    "room_number" varchar(10) NOT NULL UNIQUE,
    "floor" integer NULL,
    "room_type_id" integer NOT NULL REFERENCES "room_types" ("id") DEFERRABLE INITIALLY DEFERRED,
    "status" varchar(20) DEFAULT 'available' NOT NULL,
    "view_type" varchar(50) NULL,
    "notes" text NULL,
    "custom_rate" decimal NULL,
    "is_active" bool NULL,
    "created_at" datetime NULL,
    "updated_at" datetime NULL,
    "housekeeping_status" varchar(20) DEFAULT 'clean' NOT NULL,
    "exemptions" text NULL CHECK ((JSON_VALID("exemptions") OR "exemptions" IS NULL)),
    CONSTRAINT "rooms_rate_in_range" CHECK (("custom_rate" BETWEEN '0' AND '9999999999.99') OR json_extract(exemptions, '$.rooms_rate_in_range') IS NOT NULL),
    CONSTRAINT "rooms_status_known" CHECK (("status" IN ('available', 'occupied', 'maintenance', 'out_of_order')) OR json_extract(exemptions, '$.rooms_status_known') IS NOT NULL),
    CONSTRAINT "rooms_housekeeping_status_known" CHECK (("housekeeping_status" IN ('dirty', 'clean', 'inspected')) OR json_extract(exemptions, '$.rooms_housekeeping_status_known') IS NOT NULL)
);
CREATE INDEX "rooms_room_type_id_c94e486c" ON "rooms" ("room_type_id");
CREATE TRIGGER "rooms_housekeeping_status_known_changed" AFTER UPDATE OF "housekeeping_status", exemptions ON "rooms" WHEN json_extract(NEW.exemptions, '$.rooms_housekeeping_status_known') IS NOT NULL AND (OLD."housekeeping_status" IS NOT NEW."housekeeping_status" OR json_extract(OLD.exemptions, '$.rooms_housekeeping_status_known') IS NOT json_extract(NEW.exemptions, '$.rooms_housekeeping_status_known')) BEGIN UPDATE "rooms" SET exemptions = nullif(json_remove(exemptions, '$.rooms_housekeeping_status_known'), '{}') WHERE "id" = NEW."id"; END;
CREATE TRIGGER "rooms_housekeeping_status_known_new" AFTER INSERT ON "rooms" WHEN json_extract(NEW.exemptions, '$.rooms_housekeeping_status_known') IS NOT NULL BEGIN UPDATE "rooms" SET exemptions = nullif(json_remove(exemptions, '$.rooms_housekeeping_status_known'), '{}') WHERE "id" = NEW."id"; END;
CREATE TRIGGER "rooms_rate_in_range_changed" AFTER UPDATE OF "custom_rate", exemptions ON "rooms" WHEN json_extract(NEW.exemptions, '$.rooms_rate_in_range') IS NOT NULL AND (OLD."custom_rate" IS NOT NEW."custom_rate" OR json_extract(OLD.exemptions, '$.rooms_rate_in_range') IS NOT json_extract(NEW.exemptions, '$.rooms_rate_in_range')) BEGIN UPDATE "rooms" SET exemptions = nullif(json_remove(exemptions, '$.rooms_rate_in_range'), '{}') WHERE "id" = NEW."id"; END;
CREATE TRIGGER "rooms_rate_in_range_new" AFTER INSERT ON "rooms" WHEN json_extract(NEW.exemptions, '$.rooms_rate_in_range') IS NOT NULL BEGIN UPDATE "rooms" SET exemptions = nullif(json_remove(exemptions, '$.rooms_rate_in_range'), '{}') WHERE "id" = NEW."id"; END;
CREATE TRIGGER "rooms_status_known_changed" AFTER UPDATE OF "status", exemptions ON "rooms" WHEN json_extract(NEW.exemptions, '$.rooms_status_known') IS NOT NULL AND (OLD."status" IS NOT NEW."status" OR json_extract(OLD.exemptions, '$.rooms_status_known') IS NOT json_extract(NEW.exemptions, '$.rooms_status_known')) BEGIN UPDATE "rooms" SET exemptions = nullif(json_remove(exemptions, '$.rooms_status_known'), '{}') WHERE "id" = NEW."id"; END;
CREATE TRIGGER "rooms_status_known_new" AFTER INSERT ON "rooms" WHEN json_extract(NEW.exemptions, '$.rooms_status_known') IS NOT NULL BEGIN UPDATE "rooms" SET exemptions = nullif(json_remove(exemptions, '$.rooms_status_known'), '{}') WHERE "id" = NEW."id"; END;

CREATE TABLE "users_groups" (
    "id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    "user_id" integer NOT NULL REFERENCES "users" ("id") DEFERRABLE INITIALLY DEFERRED,
    "group_id" integer NOT NULL REFERENCES "auth_group" ("id") DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX "users_groups_group_id_2f3517aa" ON "users_groups" ("group_id");
CREATE INDEX "users_groups_user_id_f500bee5" ON "users_groups" ("user_id");
CREATE UNIQUE INDEX "users_groups_user_id_group_id_fc7788e8_uniq" ON "users_groups" ("user_id", "group_id");

CREATE TABLE "auth_group_permissions" (
    "id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    "group_id" integer NOT NULL REFERENCES "auth_group" ("id") DEFERRABLE INITIALLY DEFERRED,
    "permission_id" integer NOT NULL REFERENCES "auth_permission" ("id") DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX "auth_group_permissions_group_id_b120cbf9" ON "auth_group_permissions" ("group_id");
CREATE UNIQUE INDEX "auth_group_permissions_group_id_permission_id_0cd325b0_uniq" ON "auth_group_permissions" ("group_id", "permission_id");
CREATE INDEX "auth_group_permissions_permission_id_84c5c92e" ON "auth_group_permissions" ("permission_id");

CREATE TABLE "business_day_events" (
    "id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    "what" varchar(30) NOT NULL,
    "at" datetime NULL,
    "business_date" date NOT NULL,
    "changes" text NULL CHECK ((JSON_VALID("changes") OR "changes" IS NULL)),
    "reason" text NULL,
    "evidence" varchar(20) DEFAULT 'recorded' NOT NULL,
    "by_id" integer NULL REFERENCES "users" ("id") DEFERRABLE INITIALLY DEFERRED,
    "business_day_id" integer NOT NULL REFERENCES "business_days" ("id") DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT "business_day_events_evidence_known" CHECK ("evidence" IN ('recorded', 'legacy_column', 'admin_log'))
);
CREATE INDEX "business_day_events_business_day_id_2afbe8d9" ON "business_day_events" ("business_day_id");
CREATE INDEX "business_day_events_by_id_3dddbeef" ON "business_day_events" ("by_id");
CREATE TRIGGER "business_day_events_append_only_delete" BEFORE DELETE ON "business_day_events"  BEGIN SELECT RAISE(ABORT, 'business_day_events_append_only'); END;
CREATE TRIGGER "business_day_events_append_only_insert" BEFORE INSERT ON "business_day_events" WHEN EXISTS (SELECT 1 FROM "business_day_events" WHERE "id" = NEW."id") BEGIN SELECT RAISE(ABORT, 'business_day_events_append_only'); END;
CREATE TRIGGER "business_day_events_append_only_update" BEFORE UPDATE ON "business_day_events"  BEGIN SELECT RAISE(ABORT, 'business_day_events_append_only'); END;

CREATE TABLE "daily_metrics" (
    "id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    "day" date NOT NULL,
    "room_type_id" integer NOT NULL REFERENCES "room_types" ("id") DEFERRABLE INITIALLY DEFERRED,
    "rooms" integer NOT NULL,
    "rooms_out_of_order" integer NOT NULL,
    "rooms_sold" integer NOT NULL,
    "room_revenue" decimal NOT NULL,
    "arrivals" integer NOT NULL,
    "departures" integer NOT NULL,
    "cancellations" integer NOT NULL,
    "no_shows" integer NOT NULL,
    "computed_at" datetime NOT NULL,
    CONSTRAINT "daily_metrics_day_and_type_once" UNIQUE ("day", "room_type_id"),
    CONSTRAINT "daily_metrics_counts_not_negative" CHECK (("arrivals" >= 0 AND "cancellations" >= 0 AND "departures" >= 0 AND "no_shows" >= 0 AND "rooms" >= 0 AND "rooms_out_of_order" >= 0 AND "rooms_sold" >= 0)),
    CONSTRAINT "daily_metrics_revenue_not_negative" CHECK ("room_revenue" >= '0'),
    CONSTRAINT "daily_metrics_out_of_order_within_rooms" CHECK ("rooms_out_of_order" <= ("rooms"))
);
CREATE INDEX "daily_metrics_room_type_id_8550615a" ON "daily_metrics" ("room_type_id");
CREATE TRIGGER "daily_metrics_of_closed_days_delete" BEFORE DELETE ON "daily_metrics" WHEN EXISTS (SELECT 1 FROM "business_days" WHERE "business_days"."closed_at" IS NOT NULL AND "business_days"."day" = OLD."day") BEGIN SELECT RAISE(ABORT, 'daily_metrics_of_closed_days'); END;
CREATE TRIGGER "daily_metrics_of_closed_days_insert" BEFORE INSERT ON "daily_metrics" WHEN EXISTS (SELECT 1 FROM "business_days" WHERE "business_days"."closed_at" IS NOT NULL AND "business_days"."day" = NEW."day") OR EXISTS (SELECT 1 FROM "business_days" WHERE "business_days"."closed_at" IS NOT NULL AND "business_days"."day" IN (SELECT "day" FROM "daily_metrics" WHERE "id" = NEW."id")) BEGIN SELECT RAISE(ABORT, 'daily_metrics_of_closed_days'); END;
CREATE TRIGGER "daily_metrics_of_closed_days_update" BEFORE UPDATE ON "daily_metrics" WHEN (true) AND EXISTS (SELECT 1 FROM "business_days" WHERE "business_days"."closed_at" IS NOT NULL AND "business_days"."day" IN (OLD."day", NEW."day")) BEGIN SELECT RAISE(ABORT, 'daily_metrics_of_closed_days'); END;

CREATE TABLE "guest_images" (
    "id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    "image_type" varchar(50) NOT NULL,
    "file_path" varchar(500) NOT NULL,
    "file_name" varchar(255) NOT NULL,
    "file_size" integer NULL,
    "mime_type" varchar(100) NULL,
    "created_at" datetime NULL,
    "guest_id" integer NOT NULL REFERENCES "guests" ("id") DEFERRABLE INITIALLY DEFERRED,
    "uploaded_by_user_id" integer NULL REFERENCES "users" ("id") DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX "guest_images_guest_id_f6a0801a" ON "guest_images" ("guest_id");
CREATE INDEX "guest_images_uploaded_by_user_id_d81ffafa" ON "guest_images" ("uploaded_by_user_id");

CREATE TABLE "guest_merges" (
    "id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    "merged_key" integer NOT NULL,
    "merged_name" varchar(100) NOT NULL,
    "original" text NOT NULL CHECK ((JSON_VALID("original") OR "original" IS NULL)),
    "moved" text NOT NULL CHECK ((JSON_VALID("moved") OR "moved" IS NULL)),
    "filled" text NOT NULL CHECK ((JSON_VALID("filled") OR "filled" IS NULL)),
    "at" datetime NOT NULL,
    "reason" text NOT NULL,
    "undone_at" datetime NULL,
    "by_id" integer NOT NULL REFERENCES "users" ("id") DEFERRABLE INITIALLY DEFERRED,
    "guest_id" integer NOT NULL REFERENCES "guests" ("id") DEFERRABLE INITIALLY DEFERRED,
    "undone_by_id" integer NULL REFERENCES "users" ("id") DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX "guest_merges_by_id_2f45067d" ON "guest_merges" ("by_id");
CREATE INDEX "guest_merges_guest_id_a3b67208" ON "guest_merges" ("guest_id");
CREATE INDEX "guest_merges_undone_by_id_b8f7c307" ON "guest_merges" ("undone_by_id");

CREATE TABLE "permission_grants" (
    "id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    "group_id" integer NOT NULL REFERENCES "auth_group" ("id") DEFERRABLE INITIALLY DEFERRED,
    "permission_id" integer NOT NULL REFERENCES "auth_permission" ("id") DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT "permission_granted_once" UNIQUE ("group_id", "permission_id")
);
CREATE INDEX "permission_grants_group_id_3db581f8" ON "permission_grants" ("group_id");
CREATE INDEX "permission_grants_permission_id_3f683cdf" ON "permission_grants" ("permission_id");

CREATE TABLE "reservations" (
    "id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    "confirmation_number" varchar(20) NOT NULL UNIQUE,
    "check_in_date" date NOT NULL,
    "check_out_date" date NOT NULL,
    "adults" integer NULL,
    "children" integer NULL,
    "rate_per_night" decimal NOT NULL,
    "subtotal" decimal NOT NULL,
    "discount_amount" decimal NULL,
    "total_amount" decimal NOT NULL,
    "special_requests" text NULL,
    "booking_source" varchar(50) NULL,
    "checked_in_at" datetime NULL,
    "checked_out_at" datetime NULL,
    "is_archived" bool NULL,
    "created_at" datetime NULL,
    "updated_at" datetime NULL,
    "booking_channel_id" integer NULL REFERENCES "booking_channels" ("id") DEFERRABLE INITIALLY DEFERRED,
    "created_by" integer NOT NULL REFERENCES "users" ("id") DEFERRABLE INITIALLY DEFERRED,
    "discount_id" integer NULL REFERENCES "discounts" ("id") DEFERRABLE INITIALLY DEFERRED,
    "guest_id" integer NOT NULL REFERENCES "guests" ("id") DEFERRABLE INITIALLY DEFERRED,
    "room_id" integer NULL REFERENCES "rooms" ("id") DEFERRABLE INITIALLY DEFERRED,
    "room_type_id" integer NOT NULL REFERENCES "room_types" ("id") DEFERRABLE INITIALLY DEFERRED,
    "checked_in_by" integer NULL REFERENCES "users" ("id") DEFERRABLE INITIALLY DEFERRED,
    "deposit_amount" decimal DEFAULT (CAST('0' AS NUMERIC)) NOT NULL,
    "deposit_returned_at" datetime NULL,
    "receptionist_name" varchar(100) NULL,
    "status" varchar(20) DEFAULT 'confirmed' NOT NULL,
    "exemptions" text NULL CHECK ((JSON_VALID("exemptions") OR "exemptions" IS NULL)),
    "number_of_nights" integer GENERATED ALWAYS AS (CAST(julianday("check_out_date") - julianday("check_in_date") AS integer)) STORED,
    "cancelled_at" datetime NULL,
    "cancel_reason" text NULL,
    "is_complimentary" bool DEFAULT 0 NOT NULL,
    "deposit_held" decimal DEFAULT (CAST('0' AS NUMERIC)) NOT NULL,
    "currency" varchar(3) DEFAULT 'IDR' NOT NULL,
    CONSTRAINT "reservations_dates_in_order" CHECK (("check_out_date" > ("check_in_date")) OR json_extract(exemptions, '$.reservations_dates_in_order') IS NOT NULL),
    CONSTRAINT "reservations_adults_in_range" CHECK (("adults" >= 1) OR json_extract(exemptions, '$.reservations_adults_in_range') IS NOT NULL),
    CONSTRAINT "reservations_children_in_range" CHECK (("children" >= 0) OR json_extract(exemptions, '$.reservations_children_in_range') IS NOT NULL),
    CONSTRAINT "reservations_rate_in_range" CHECK (("rate_per_night" BETWEEN '0' AND '9999999999.99') OR json_extract(exemptions, '$.reservations_rate_in_range') IS NOT NULL),
    CONSTRAINT "reservations_subtotal_in_range" CHECK (("subtotal" BETWEEN '0' AND '9999999999.99') OR json_extract(exemptions, '$.reservations_subtotal_in_range') IS NOT NULL),
    CONSTRAINT "reservations_discount_in_range" CHECK (("discount_amount" BETWEEN '0' AND '9999999999.99') OR json_extract(exemptions, '$.reservations_discount_in_range') IS NOT NULL),
    CONSTRAINT "reservations_discount_within_subtotal" CHECK (("discount_amount" <= ("subtotal")) OR json_extract(exemptions, '$.reservations_discount_within_subtotal') IS NOT NULL),
    CONSTRAINT "reservations_total_in_range" CHECK (("total_amount" BETWEEN '0' AND '9999999999.99') OR json_extract(exemptions, '$.reservations_total_in_range') IS NOT NULL),
    CONSTRAINT "reservations_deposit_in_range" CHECK (("deposit_amount" BETWEEN '0' AND '9999999999.99') OR json_extract(exemptions, '$.reservations_deposit_in_range') IS NOT NULL),
    CONSTRAINT "reservations_status_known" CHECK (("status" IN ('pending', 'confirmed', 'checked_in', 'checked_out', 'cancelled', 'no_show')) OR json_extract(exemptions, '$.reservations_status_known') IS NOT NULL),
    CONSTRAINT "reservations_in_house_has_room" CHECK (((NOT ("status" = 'checked_in') OR ("checked_in_at" IS NOT NULL AND "room_id" IS NOT NULL))) OR json_extract(exemptions, '$.reservations_in_house_has_room') IS NOT NULL),
    CONSTRAINT "reservations_checked_out_has_time" CHECK (((NOT ("status" = 'checked_out') OR "checked_out_at" IS NOT NULL)) OR json_extract(exemptions, '$.reservations_checked_out_has_time') IS NOT NULL),
    CONSTRAINT "reservations_deposit_held_in_range" CHECK (("deposit_held" BETWEEN '0' AND '999999999999.99') OR json_extract(exemptions, '$.reservations_deposit_held_in_range') IS NOT NULL),
    CONSTRAINT "reservations_currency_is_code" CHECK ((("currency" GLOB '[A-Z][A-Z][A-Z]')) OR json_extract(exemptions, '$.reservations_currency_is_code') IS NOT NULL)
);
CREATE INDEX "reservations_booking_channel_id_d12304d3" ON "reservations" ("booking_channel_id");
CREATE INDEX "reservations_checked_in_by_ddee9b99" ON "reservations" ("checked_in_by");
CREATE INDEX "reservations_created_by_8930e9e8" ON "reservations" ("created_by");
CREATE INDEX "reservations_dates_idx" ON "reservations" ("check_in_date", "check_out_date");
CREATE INDEX "reservations_departures_idx" ON "reservations" ("check_out_date") WHERE "status" = 'checked_in';
CREATE INDEX "reservations_discount_id_cbd7dd38" ON "reservations" ("discount_id");
CREATE INDEX "reservations_exempt_idx" ON "reservations" ("id") WHERE "exemptions" IS NOT NULL;
CREATE INDEX "reservations_guest_id_337ff215" ON "reservations" ("guest_id");
CREATE INDEX "reservations_number_unique_key" ON "reservations" (LOWER("confirmation_number"));
CREATE INDEX "reservations_of_room_idx" ON "reservations" ("room_id", "check_out_date", "check_in_date") WHERE "status" IN ('pending', 'confirmed', 'checked_in');
CREATE INDEX "reservations_of_type_idx" ON "reservations" ("room_type_id", "check_out_date", "check_in_date") WHERE "status" IN ('pending', 'confirmed', 'checked_in');
CREATE INDEX "reservations_one_stay_in_house_key" ON "reservations" ("room_id") WHERE ("room_id" IS NOT NULL AND "status" = 'checked_in');
CREATE INDEX "reservations_room_id_b8923610" ON "reservations" ("room_id");
CREATE INDEX "reservations_room_type_id_46338413" ON "reservations" ("room_type_id");
CREATE INDEX "reservations_status_idx" ON "reservations" ("status", "id" DESC);
CREATE TRIGGER "reservations_adults_in_range_changed" AFTER UPDATE OF "adults", exemptions ON "reservations" WHEN json_extract(NEW.exemptions, '$.reservations_adults_in_range') IS NOT NULL AND (OLD."adults" IS NOT NEW."adults" OR json_extract(OLD.exemptions, '$.reservations_adults_in_range') IS NOT json_extract(NEW.exemptions, '$.reservations_adults_in_range')) BEGIN UPDATE "reservations" SET exemptions = nullif(json_remove(exemptions, '$.reservations_adults_in_range'), '{}') WHERE "id" = NEW."id"; END;
CREATE TRIGGER "reservations_adults_in_range_new" AFTER INSERT ON "reservations" WHEN json_extract(NEW.exemptions, '$.reservations_adults_in_range') IS NOT NULL BEGIN UPDATE "reservations" SET exemptions = nullif(json_remove(exemptions, '$.reservations_adults_in_range'), '{}') WHERE "id" = NEW."id"; END;
CREATE TRIGGER "reservations_checked_out_has_time_changed" AFTER UPDATE OF "checked_out_at", "status", exemptions ON "reservations" WHEN json_extract(NEW.exemptions, '$.reservations_checked_out_has_time') IS NOT NULL AND (OLD."checked_out_at" IS NOT NEW."checked_out_at" OR OLD."status" IS NOT NEW."status" OR json_extract(OLD.exemptions, '$.reservations_checked_out_has_time') IS NOT json_extract(NEW.exemptions, '$.reservations_checked_out_has_time')) BEGIN UPDATE "reservations" SET exemptions = nullif(json_remove(exemptions, '$.reservations_checked_out_has_time'), '{}') WHERE "id" = NEW."id"; END;
CREATE TRIGGER "reservations_checked_out_has_time_new" AFTER INSERT ON "reservations" WHEN json_extract(NEW.exemptions, '$.reservations_checked_out_has_time') IS NOT NULL BEGIN UPDATE "reservations" SET exemptions = nullif(json_remove(exemptions, '$.reservations_checked_out_has_time'), '{}') WHERE "id" = NEW."id"; END;
CREATE TRIGGER "reservations_children_in_range_changed" AFTER UPDATE OF "children", exemptions ON "reservations" WHEN json_extract(NEW.exemptions, '$.reservations_children_in_range') IS NOT NULL AND (OLD."children" IS NOT NEW."children" OR json_extract(OLD.exemptions, '$.reservations_children_in_range') IS NOT json_extract(NEW.exemptions, '$.reservations_children_in_range')) BEGIN UPDATE "reservations" SET exemptions = nullif(json_remove(exemptions, '$.reservations_children_in_range'), '{}') WHERE "id" = NEW."id"; END;
CREATE TRIGGER "reservations_children_in_range_new" AFTER INSERT ON "reservations" WHEN json_extract(NEW.exemptions, '$.reservations_children_in_range') IS NOT NULL BEGIN UPDATE "reservations" SET exemptions = nullif(json_remove(exemptions, '$.reservations_children_in_range'), '{}') WHERE "id" = NEW."id"; END;
CREATE TRIGGER "reservations_currency_is_code_changed" AFTER UPDATE OF "currency", exemptions ON "reservations" WHEN json_extract(NEW.exemptions, '$.reservations_currency_is_code') IS NOT NULL AND (OLD."currency" IS NOT NEW."currency" OR json_extract(OLD.exemptions, '$.reservations_currency_is_code') IS NOT json_extract(NEW.exemptions, '$.reservations_currency_is_code')) BEGIN UPDATE "reservations" SET exemptions = nullif(json_remove(exemptions, '$.reservations_currency_is_code'), '{}') WHERE "id" = NEW."id"; END;
CREATE TRIGGER "reservations_currency_is_code_new" AFTER INSERT ON "reservations" WHEN json_extract(NEW.exemptions, '$.reservations_currency_is_code') IS NOT NULL BEGIN UPDATE "reservations" SET exemptions = nullif(json_remove(exemptions, '$.reservations_currency_is_code'), '{}') WHERE "id" = NEW."id"; END;
CREATE TRIGGER "reservations_dates_in_order_changed" AFTER UPDATE OF "check_in_date", "check_out_date", exemptions ON "reservations" WHEN json_extract(NEW.exemptions, '$.reservations_dates_in_order') IS NOT NULL AND (OLD."check_in_date" IS NOT NEW."check_in_date" OR OLD."check_out_date" IS NOT NEW."check_out_date" OR json_extract(OLD.exemptions, '$.reservations_dates_in_order') IS NOT json_extract(NEW.exemptions, '$.reservations_dates_in_order')) BEGIN UPDATE "reservations" SET exemptions = nullif(json_remove(exemptions, '$.reservations_dates_in_order'), '{}') WHERE "id" = NEW."id"; END;
CREATE TRIGGER "reservations_dates_in_order_new" AFTER INSERT ON "reservations" WHEN json_extract(NEW.exemptions, '$.reservations_dates_in_order') IS NOT NULL BEGIN UPDATE "reservations" SET exemptions = nullif(json_remove(exemptions, '$.reservations_dates_in_order'), '{}') WHERE "id" = NEW."id"; END;
CREATE TRIGGER "reservations_deposit_held_in_range_changed" AFTER UPDATE OF "deposit_held", exemptions ON "reservations" WHEN json_extract(NEW.exemptions, '$.reservations_deposit_held_in_range') IS NOT NULL AND (OLD."deposit_held" IS NOT NEW."deposit_held" OR json_extract(OLD.exemptions, '$.reservations_deposit_held_in_range') IS NOT json_extract(NEW.exemptions, '$.reservations_deposit_held_in_range')) BEGIN UPDATE "reservations" SET exemptions = nullif(json_remove(exemptions, '$.reservations_deposit_held_in_range'), '{}') WHERE "id" = NEW."id"; END;
CREATE TRIGGER "reservations_deposit_held_in_range_new" AFTER INSERT ON "reservations" WHEN json_extract(NEW.exemptions, '$.reservations_deposit_held_in_range') IS NOT NULL BEGIN UPDATE "reservations" SET exemptions = nullif(json_remove(exemptions, '$.reservations_deposit_held_in_range'), '{}') WHERE "id" = NEW."id"; END;
CREATE TRIGGER "reservations_deposit_in_range_changed" AFTER UPDATE OF "deposit_amount", exemptions ON "reservations" WHEN json_extract(NEW.exemptions, '$.reservations_deposit_in_range') IS NOT NULL AND (OLD."deposit_amount" IS NOT NEW."deposit_amount" OR json_extract(OLD.exemptions, '$.reservations_deposit_in_range') IS NOT json_extract(NEW.exemptions, '$.reservations_deposit_in_range')) BEGIN UPDATE "reservations" SET exemptions = nullif(json_remove(exemptions, '$.reservations_deposit_in_range'), '{}') WHERE "id" = NEW."id"; END;
CREATE TRIGGER "reservations_deposit_in_range_new" AFTER INSERT ON "reservations" WHEN json_extract(NEW.exemptions, '$.reservations_deposit_in_range') IS NOT NULL BEGIN UPDATE "reservations" SET exemptions = nullif(json_remove(exemptions, '$.reservations_deposit_in_range'), '{}') WHERE "id" = NEW."id"; END;
CREATE TRIGGER "reservations_discount_in_range_changed" AFTER UPDATE OF "discount_amount", exemptions ON "reservations" WHEN json_extract(NEW.exemptions, '$.reservations_discount_in_range') IS NOT NULL AND (OLD."discount_amount" IS NOT NEW."discount_amount" OR json_extract(OLD.exemptions, '$.reservations_discount_in_range') IS NOT json_extract(NEW.exemptions, '$.reservations_discount_in_range')) BEGIN UPDATE "reservations" SET exemptions = nullif(json_remove(exemptions, '$.reservations_discount_in_range'), '{}') WHERE "id" = NEW."id"; END;
CREATE TRIGGER "reservations_discount_in_range_new" AFTER INSERT ON "reservations" WHEN json_extract(NEW.exemptions, '$.reservations_discount_in_range') IS NOT NULL BEGIN UPDATE "reservations" SET exemptions = nullif(json_remove(exemptions, '$.reservations_discount_in_range'), '{}') WHERE "id" = NEW."id"; END;
CREATE TRIGGER "reservations_discount_within_subtotal_changed" AFTER UPDATE OF "discount_amount", "subtotal", exemptions ON "reservations" WHEN json_extract(NEW.exemptions, '$.reservations_discount_within_subtotal') IS NOT NULL AND (OLD."discount_amount" IS NOT NEW."discount_amount" OR OLD."subtotal" IS NOT NEW."subtotal" OR json_extract(OLD.exemptions, '$.reservations_discount_within_subtotal') IS NOT json_extract(NEW.exemptions, '$.reservations_discount_within_subtotal')) BEGIN UPDATE "reservations" SET exemptions = nullif(json_remove(exemptions, '$.reservations_discount_within_subtotal'), '{}') WHERE "id" = NEW."id"; END;
CREATE TRIGGER "reservations_discount_within_subtotal_new" AFTER INSERT ON "reservations" WHEN json_extract(NEW.exemptions, '$.reservations_discount_within_subtotal') IS NOT NULL BEGIN UPDATE "reservations" SET exemptions = nullif(json_remove(exemptions, '$.reservations_discount_within_subtotal'), '{}') WHERE "id" = NEW."id"; END;
CREATE TRIGGER "reservations_have_parts_deleted" AFTER DELETE ON "reservations" BEGIN DELETE FROM "stay_parts" WHERE "reservation_id" = OLD.id; DELETE FROM migrator_conflicts WHERE rule = 'stay_parts_make_the_stay' AND one = OLD.id; END;
CREATE TRIGGER "reservations_have_parts_inserted" AFTER INSERT ON "reservations" BEGIN INSERT INTO "stay_parts" ("reservation_id", "start_date", "end_date", "status", "room_id", "room_type_id", "is_present") VALUES (NEW.id, NEW."check_in_date", NEW."check_out_date", NEW."status", NEW."room_id", NEW."room_type_id", 1); END;
CREATE TRIGGER "reservations_have_parts_updated" AFTER UPDATE OF "check_in_date", "check_out_date", "status", "room_id", "room_type_id" ON "reservations" BEGIN DELETE FROM "stay_parts" WHERE "reservation_id" = NEW.id AND NOT "is_present" AND ((SELECT min("end_date") FROM "stay_parts" WHERE "reservation_id" = NEW.id) <= NEW."check_in_date" OR (SELECT max("start_date") FROM "stay_parts" WHERE "reservation_id" = NEW.id) >= NEW."check_out_date"); UPDATE "stay_parts" SET "status" = NEW."status", "start_date" = CASE WHEN "start_date" = (SELECT min("start_date") FROM "stay_parts" WHERE "reservation_id" = NEW.id) THEN NEW."check_in_date" ELSE "start_date" END, "end_date" = CASE WHEN "start_date" = (SELECT max("start_date") FROM "stay_parts" WHERE "reservation_id" = NEW.id) THEN NEW."check_out_date" ELSE "end_date" END, "room_id" = CASE WHEN "is_present" THEN NEW."room_id" ELSE "room_id" END, "room_type_id" = CASE WHEN "room_type_id" = OLD."room_type_id" OR (SELECT count(*) FROM "stay_parts" WHERE "reservation_id" = NEW.id) = 1 THEN NEW."room_type_id" ELSE "room_type_id" END WHERE "reservation_id" = NEW.id AND ("status" IS NOT NEW."status" OR ("start_date" = (SELECT min("start_date") FROM "stay_parts" WHERE "reservation_id" = NEW.id)) AND "start_date" IS NOT NEW."check_in_date" OR ("start_date" = (SELECT max("start_date") FROM "stay_parts" WHERE "reservation_id" = NEW.id)) AND "end_date" IS NOT NEW."check_out_date" OR ("is_present") AND "room_id" IS NOT NEW."room_id" OR ("room_type_id" = OLD."room_type_id" OR (SELECT count(*) FROM "stay_parts" WHERE "reservation_id" = NEW.id) = 1) AND "room_type_id" IS NOT NEW."room_type_id"); DELETE FROM migrator_conflicts WHERE rule = 'stay_parts_make_the_stay' AND one = NEW.id; INSERT INTO migrator_conflicts (rule, one, other) SELECT 'stay_parts_make_the_stay', whole.id, whole.id FROM "reservations" AS whole WHERE whole.id = NEW.id AND ((SELECT count(*) FROM "stay_parts" WHERE "reservation_id" = whole.id AND "is_present" AND NOT ("room_id" IS NOT whole."room_id")) <> 1 OR EXISTS (SELECT 1 FROM (SELECT "start_date" AS begins, "end_date" AS ends, lag("end_date") OVER (ORDER BY "start_date", id) AS before, lead("start_date") OVER (ORDER BY "start_date", id) AS later, count(*) OVER () AS number, "status" AS shared FROM "stay_parts" WHERE "reservation_id" = whole.id) AS part WHERE part.begins IS NOT coalesce(part.before, whole."check_in_date") OR part.ends IS NOT coalesce(part.later, whole."check_out_date") OR part.number > 1 AND part.ends <= part.begins OR part.shared IS NOT whole."status")) AND EXISTS (SELECT 1 FROM "stay_parts" WHERE "reservation_id" = NEW.id); END;
CREATE TRIGGER "reservations_in_house_has_room_changed" AFTER UPDATE OF "checked_in_at", "room_id", "status", exemptions ON "reservations" WHEN json_extract(NEW.exemptions, '$.reservations_in_house_has_room') IS NOT NULL AND (OLD."checked_in_at" IS NOT NEW."checked_in_at" OR OLD."room_id" IS NOT NEW."room_id" OR OLD."status" IS NOT NEW."status" OR json_extract(OLD.exemptions, '$.reservations_in_house_has_room') IS NOT json_extract(NEW.exemptions, '$.reservations_in_house_has_room')) BEGIN UPDATE "reservations" SET exemptions = nullif(json_remove(exemptions, '$.reservations_in_house_has_room'), '{}') WHERE "id" = NEW."id"; END;
CREATE TRIGGER "reservations_in_house_has_room_new" AFTER INSERT ON "reservations" WHEN json_extract(NEW.exemptions, '$.reservations_in_house_has_room') IS NOT NULL BEGIN UPDATE "reservations" SET exemptions = nullif(json_remove(exemptions, '$.reservations_in_house_has_room'), '{}') WHERE "id" = NEW."id"; END;
CREATE TRIGGER "reservations_number_unique_changed" AFTER UPDATE OF "confirmation_number", exemptions ON "reservations" WHEN json_extract(NEW.exemptions, '$.reservations_number_unique') IS NOT NULL AND (OLD."confirmation_number" IS NOT NEW."confirmation_number" OR json_extract(OLD.exemptions, '$.reservations_number_unique') IS NOT json_extract(NEW.exemptions, '$.reservations_number_unique')) BEGIN UPDATE "reservations" SET exemptions = nullif(json_remove(exemptions, '$.reservations_number_unique'), '{}') WHERE "id" = NEW."id"; END;
CREATE TRIGGER "reservations_number_unique_deleted" AFTER DELETE ON "reservations" BEGIN DELETE FROM migrator_conflicts WHERE rule = 'reservations_number_unique' AND OLD."id" IN (one, other); END;
CREATE TRIGGER "reservations_number_unique_inserted" AFTER INSERT ON "reservations" BEGIN DELETE FROM migrator_conflicts WHERE rule = 'reservations_number_unique' AND NEW."id" IN (one, other); INSERT INTO migrator_conflicts (rule, one, other) SELECT 'reservations_number_unique', one.key, other.key FROM (SELECT "id" AS key, LOWER("confirmation_number") AS same0, json_extract(exemptions, '$.reservations_number_unique') IS NOT NULL AS exempt FROM "reservations" WHERE "id" = NEW."id") AS one JOIN (SELECT "id" AS key, LOWER("confirmation_number") AS same0, json_extract(exemptions, '$.reservations_number_unique') IS NOT NULL AS exempt FROM "reservations") AS other ON one.same0 = other.same0 AND one.key <> other.key AND NOT (one.exempt AND other.exempt); END;
CREATE TRIGGER "reservations_number_unique_new" AFTER INSERT ON "reservations" WHEN json_extract(NEW.exemptions, '$.reservations_number_unique') IS NOT NULL BEGIN UPDATE "reservations" SET exemptions = nullif(json_remove(exemptions, '$.reservations_number_unique'), '{}') WHERE "id" = NEW."id"; END;
CREATE TRIGGER "reservations_number_unique_updated" AFTER UPDATE OF "id", "confirmation_number", exemptions ON "reservations" BEGIN DELETE FROM migrator_conflicts WHERE rule = 'reservations_number_unique' AND OLD."id" IN (one, other); INSERT INTO migrator_conflicts (rule, one, other) SELECT 'reservations_number_unique', one.key, other.key FROM (SELECT "id" AS key, LOWER("confirmation_number") AS same0, json_extract(exemptions, '$.reservations_number_unique') IS NOT NULL AS exempt FROM "reservations" WHERE "id" = NEW."id") AS one JOIN (SELECT "id" AS key, LOWER("confirmation_number") AS same0, json_extract(exemptions, '$.reservations_number_unique') IS NOT NULL AS exempt FROM "reservations") AS other ON one.same0 = other.same0 AND one.key <> other.key AND NOT (one.exempt AND other.exempt); END;
CREATE TRIGGER "reservations_one_stay_in_house_changed" AFTER UPDATE OF "room_id", "status", exemptions ON "reservations" WHEN json_extract(NEW.exemptions, '$.reservations_one_stay_in_house') IS NOT NULL AND (OLD."room_id" IS NOT NEW."room_id" OR OLD."status" IS NOT NEW."status" OR json_extract(OLD.exemptions, '$.reservations_one_stay_in_house') IS NOT json_extract(NEW.exemptions, '$.reservations_one_stay_in_house')) BEGIN UPDATE "reservations" SET exemptions = nullif(json_remove(exemptions, '$.reservations_one_stay_in_house'), '{}') WHERE "id" = NEW."id"; END;
CREATE TRIGGER "reservations_one_stay_in_house_deleted" AFTER DELETE ON "reservations" BEGIN DELETE FROM migrator_conflicts WHERE rule = 'reservations_one_stay_in_house' AND OLD."id" IN (one, other); END;
CREATE TRIGGER "reservations_one_stay_in_house_inserted" AFTER INSERT ON "reservations" BEGIN DELETE FROM migrator_conflicts WHERE rule = 'reservations_one_stay_in_house' AND NEW."id" IN (one, other); INSERT INTO migrator_conflicts (rule, one, other) SELECT 'reservations_one_stay_in_house', one.key, other.key FROM (SELECT "id" AS key, "room_id" AS same0, json_extract(exemptions, '$.reservations_one_stay_in_house') IS NOT NULL AS exempt FROM "reservations" WHERE (("room_id" IS NOT NULL AND "status" = 'checked_in')) AND "id" = NEW."id") AS one JOIN (SELECT "id" AS key, "room_id" AS same0, json_extract(exemptions, '$.reservations_one_stay_in_house') IS NOT NULL AS exempt FROM "reservations" WHERE (("room_id" IS NOT NULL AND "status" = 'checked_in'))) AS other ON one.same0 = other.same0 AND one.key <> other.key AND NOT (one.exempt AND other.exempt); END;
CREATE TRIGGER "reservations_one_stay_in_house_new" AFTER INSERT ON "reservations" WHEN json_extract(NEW.exemptions, '$.reservations_one_stay_in_house') IS NOT NULL BEGIN UPDATE "reservations" SET exemptions = nullif(json_remove(exemptions, '$.reservations_one_stay_in_house'), '{}') WHERE "id" = NEW."id"; END;
CREATE TRIGGER "reservations_one_stay_in_house_updated" AFTER UPDATE OF "id", "room_id", "status", exemptions ON "reservations" BEGIN DELETE FROM migrator_conflicts WHERE rule = 'reservations_one_stay_in_house' AND OLD."id" IN (one, other); INSERT INTO migrator_conflicts (rule, one, other) SELECT 'reservations_one_stay_in_house', one.key, other.key FROM (SELECT "id" AS key, "room_id" AS same0, json_extract(exemptions, '$.reservations_one_stay_in_house') IS NOT NULL AS exempt FROM "reservations" WHERE (("room_id" IS NOT NULL AND "status" = 'checked_in')) AND "id" = NEW."id") AS one JOIN (SELECT "id" AS key, "room_id" AS same0, json_extract(exemptions, '$.reservations_one_stay_in_house') IS NOT NULL AS exempt FROM "reservations" WHERE (("room_id" IS NOT NULL AND "status" = 'checked_in'))) AS other ON one.same0 = other.same0 AND one.key <> other.key AND NOT (one.exempt AND other.exempt); END;
CREATE TRIGGER "reservations_rate_in_range_changed" AFTER UPDATE OF "rate_per_night", exemptions ON "reservations" WHEN json_extract(NEW.exemptions, '$.reservations_rate_in_range') IS NOT NULL AND (OLD."rate_per_night" IS NOT NEW."rate_per_night" OR json_extract(OLD.exemptions, '$.reservations_rate_in_range') IS NOT json_extract(NEW.exemptions, '$.reservations_rate_in_range')) BEGIN UPDATE "reservations" SET exemptions = nullif(json_remove(exemptions, '$.reservations_rate_in_range'), '{}') WHERE "id" = NEW."id"; END;
CREATE TRIGGER "reservations_rate_in_range_new" AFTER INSERT ON "reservations" WHEN json_extract(NEW.exemptions, '$.reservations_rate_in_range') IS NOT NULL BEGIN UPDATE "reservations" SET exemptions = nullif(json_remove(exemptions, '$.reservations_rate_in_range'), '{}') WHERE "id" = NEW."id"; END;
CREATE TRIGGER "reservations_status_known_changed" AFTER UPDATE OF "status", exemptions ON "reservations" WHEN json_extract(NEW.exemptions, '$.reservations_status_known') IS NOT NULL AND (OLD."status" IS NOT NEW."status" OR json_extract(OLD.exemptions, '$.reservations_status_known') IS NOT json_extract(NEW.exemptions, '$.reservations_status_known')) BEGIN UPDATE "reservations" SET exemptions = nullif(json_remove(exemptions, '$.reservations_status_known'), '{}') WHERE "id" = NEW."id"; END;
CREATE TRIGGER "reservations_status_known_new" AFTER INSERT ON "reservations" WHEN json_extract(NEW.exemptions, '$.reservations_status_known') IS NOT NULL BEGIN UPDATE "reservations" SET exemptions = nullif(json_remove(exemptions, '$.reservations_status_known'), '{}') WHERE "id" = NEW."id"; END;
CREATE TRIGGER "reservations_subtotal_in_range_changed" AFTER UPDATE OF "subtotal", exemptions ON "reservations" WHEN json_extract(NEW.exemptions, '$.reservations_subtotal_in_range') IS NOT NULL AND (OLD."subtotal" IS NOT NEW."subtotal" OR json_extract(OLD.exemptions, '$.reservations_subtotal_in_range') IS NOT json_extract(NEW.exemptions, '$.reservations_subtotal_in_range')) BEGIN UPDATE "reservations" SET exemptions = nullif(json_remove(exemptions, '$.reservations_subtotal_in_range'), '{}') WHERE "id" = NEW."id"; END;
CREATE TRIGGER "reservations_subtotal_in_range_new" AFTER INSERT ON "reservations" WHEN json_extract(NEW.exemptions, '$.reservations_subtotal_in_range') IS NOT NULL BEGIN UPDATE "reservations" SET exemptions = nullif(json_remove(exemptions, '$.reservations_subtotal_in_range'), '{}') WHERE "id" = NEW."id"; END;
CREATE TRIGGER "reservations_total_in_range_changed" AFTER UPDATE OF "total_amount", exemptions ON "reservations" WHEN json_extract(NEW.exemptions, '$.reservations_total_in_range') IS NOT NULL AND (OLD."total_amount" IS NOT NEW."total_amount" OR json_extract(OLD.exemptions, '$.reservations_total_in_range') IS NOT json_extract(NEW.exemptions, '$.reservations_total_in_range')) BEGIN UPDATE "reservations" SET exemptions = nullif(json_remove(exemptions, '$.reservations_total_in_range'), '{}') WHERE "id" = NEW."id"; END;
CREATE TRIGGER "reservations_total_in_range_new" AFTER INSERT ON "reservations" WHEN json_extract(NEW.exemptions, '$.reservations_total_in_range') IS NOT NULL BEGIN UPDATE "reservations" SET exemptions = nullif(json_remove(exemptions, '$.reservations_total_in_range'), '{}') WHERE "id" = NEW."id"; END;

CREATE TABLE "room_blocks" (
    "id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    "room_id" integer NOT NULL REFERENCES "rooms" ("id") DEFERRABLE INITIALLY DEFERRED,
    "kind" varchar(20) NOT NULL,
    "start_date" date NOT NULL,
    "end_date" date NULL,
    "reason" text NOT NULL,
    "released_on" date NULL,
    "created_by" integer NULL REFERENCES "users" ("id") DEFERRABLE INITIALLY DEFERRED,
    "created_at" datetime NOT NULL,
    CONSTRAINT "room_blocks_dates_in_order" CHECK (("end_date" IS NULL OR "end_date" > ("start_date"))),
    CONSTRAINT "room_blocks_kind_known" CHECK ("kind" IN ('out_of_order', 'out_of_service', 'house_use'))
);
CREATE INDEX "room_blocks_created_by_2976d13d" ON "room_blocks" ("created_by");
CREATE INDEX "room_blocks_room_id_246a09b1" ON "room_blocks" ("room_id");

CREATE TABLE "room_events" (
    "id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    "what" varchar(30) NOT NULL,
    "at" datetime NULL,
    "business_date" date NOT NULL,
    "changes" text NULL CHECK ((JSON_VALID("changes") OR "changes" IS NULL)),
    "reason" text NULL,
    "evidence" varchar(20) DEFAULT 'recorded' NOT NULL,
    "by_id" integer NULL REFERENCES "users" ("id") DEFERRABLE INITIALLY DEFERRED,
    "room_id" integer NOT NULL REFERENCES "rooms" ("id") DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT "room_events_evidence_known" CHECK ("evidence" IN ('recorded', 'legacy_column', 'admin_log'))
);
CREATE INDEX "room_events_by_id_38b5846f" ON "room_events" ("by_id");
CREATE INDEX "room_events_room_id_11e20f80" ON "room_events" ("room_id");
CREATE TRIGGER "room_events_append_only_delete" BEFORE DELETE ON "room_events"  BEGIN SELECT RAISE(ABORT, 'room_events_append_only'); END;
CREATE TRIGGER "room_events_append_only_insert" BEFORE INSERT ON "room_events" WHEN EXISTS (SELECT 1 FROM "room_events" WHERE "id" = NEW."id") BEGIN SELECT RAISE(ABORT, 'room_events_append_only'); END;
CREATE TRIGGER "room_events_append_only_update" BEFORE UPDATE ON "room_events"  BEGIN SELECT RAISE(ABORT, 'room_events_append_only'); END;

CREATE TABLE "room_images" (
    "id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    "image_name" varchar(255) NOT NULL,
    "image_type" varchar(20) NOT NULL,
    "image_path" varchar(500) NOT NULL,
    "storage_location" varchar(50) NOT NULL,
    "file_size_bytes" integer NULL,
    "mime_type" varchar(100) NULL,
    "original_filename" varchar(255) NULL,
    "image_width" integer NULL,
    "image_height" integer NULL,
    "description" text NULL,
    "display_order" integer NULL,
    "is_active" bool NULL,
    "created_at" datetime NULL,
    "updated_at" datetime NULL,
    "room_id" integer NOT NULL REFERENCES "rooms" ("id") DEFERRABLE INITIALLY DEFERRED,
    "uploaded_by" integer NULL REFERENCES "users" ("id") DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX "room_images_room_id_7ee1491d" ON "room_images" ("room_id");
CREATE INDEX "room_images_uploaded_by_339f31a6" ON "room_images" ("uploaded_by");

CREATE TABLE "users_user_permissions" (
    "id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    "user_id" integer NOT NULL REFERENCES "users" ("id") DEFERRABLE INITIALLY DEFERRED,
    "permission_id" integer NOT NULL REFERENCES "auth_permission" ("id") DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX "users_user_permissions_permission_id_6d08dcd2" ON "users_user_permissions" ("permission_id");
CREATE INDEX "users_user_permissions_user_id_92473840" ON "users_user_permissions" ("user_id");
CREATE UNIQUE INDEX "users_user_permissions_user_id_permission_id_3b86cbdf_uniq" ON "users_user_permissions" ("user_id", "permission_id");

CREATE TABLE "charges" (
    "id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    "kind" varchar(20) NOT NULL,
    "business_date" date NOT NULL,
    "amount" decimal NOT NULL,
    "tax_rate" decimal DEFAULT (CAST('0' AS NUMERIC)) NOT NULL,
    "tax" decimal DEFAULT (CAST('0' AS NUMERIC)) NOT NULL,
    "currency" varchar(3) DEFAULT 'IDR' NOT NULL,
    "notes" text NULL,
    "created_at" datetime NULL,
    "is_voided" bool DEFAULT 0 NOT NULL,
    "voided_at" datetime NULL,
    "void_reason" text NULL,
    "idempotency_key" varchar(64) NULL,
    "created_by" integer NULL REFERENCES "users" ("id") DEFERRABLE INITIALLY DEFERRED,
    "reservation_id" integer NOT NULL REFERENCES "reservations" ("id") DEFERRABLE INITIALLY DEFERRED,
    "voided_by" integer NULL REFERENCES "users" ("id") DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT "charges_kind_known" CHECK ("kind" IN ('room', 'cancellation', 'no_show', 'minibar', 'laundry', 'late_check_out', 'other')),
    CONSTRAINT "charges_amount_positive" CHECK (("amount" > '0' AND "amount" <= '9999999999.99')),
    CONSTRAINT "charges_tax_in_range" CHECK (("tax" >= '0' AND "tax" <= ("amount") AND "tax_rate" BETWEEN '0' AND '100')),
    CONSTRAINT "charges_void_has_time" CHECK ((NOT "is_voided" OR "voided_at" IS NOT NULL)),
    CONSTRAINT "charges_currency_is_code" CHECK (("currency" GLOB '[A-Z][A-Z][A-Z]')),
    CONSTRAINT "charges_asked_for_once" UNIQUE ("idempotency_key")
);
CREATE INDEX "charges_created_by_22b53170" ON "charges" ("created_by");
CREATE INDEX "charges_reservation_id_20d0c942" ON "charges" ("reservation_id");
CREATE INDEX "charges_voided_by_3c28f458" ON "charges" ("voided_by");
CREATE TRIGGER "charges_frozen_delete" BEFORE DELETE ON "charges"  BEGIN SELECT RAISE(ABORT, 'charges_frozen'); END;
CREATE TRIGGER "charges_frozen_insert" BEFORE INSERT ON "charges" WHEN EXISTS (SELECT 1 FROM "charges" WHERE "id" = NEW."id") BEGIN SELECT RAISE(ABORT, 'charges_frozen'); END;
CREATE TRIGGER "charges_frozen_update" BEFORE UPDATE ON "charges" WHEN OLD."id" IS NOT NEW."id" OR OLD."reservation_id" IS NOT NEW."reservation_id" OR OLD."kind" IS NOT NEW."kind" OR OLD."business_date" IS NOT NEW."business_date" OR OLD."amount" IS NOT NEW."amount" OR OLD."tax_rate" IS NOT NEW."tax_rate" OR OLD."tax" IS NOT NEW."tax" OR OLD."currency" IS NOT NEW."currency" OR OLD."notes" IS NOT NEW."notes" OR OLD."created_by" IS NOT NEW."created_by" OR OLD."created_at" IS NOT NEW."created_at" OR OLD."idempotency_key" IS NOT NEW."idempotency_key" BEGIN SELECT RAISE(ABORT, 'charges_frozen'); END;

CREATE TABLE "payments" (
    "id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    "payment_date" date NOT NULL,
    "amount" decimal NOT NULL,
    "payment_method" varchar(20) NOT NULL,
    "reference_number" varchar(100) NULL,
    "transaction_id" varchar(100) NULL,
    "notes" text NULL,
    "is_refund" bool NULL,
    "refund_reason" text NULL,
    "is_voided" bool NULL,
    "has_proof" bool NULL,
    "created_at" datetime NULL,
    "updated_at" datetime NULL,
    "created_by" integer NULL REFERENCES "users" ("id") DEFERRABLE INITIALLY DEFERRED,
    "reservation_id" integer NOT NULL REFERENCES "reservations" ("id") DEFERRABLE INITIALLY DEFERRED,
    "payment_type" varchar(20) DEFAULT 'full' NOT NULL,
    "exemptions" text NULL CHECK ((JSON_VALID("exemptions") OR "exemptions" IS NULL)),
    "voided_at" datetime NULL,
    "voided_by" integer NULL REFERENCES "users" ("id") DEFERRABLE INITIALLY DEFERRED,
    "void_reason" text NULL,
    "idempotency_key" varchar(64) NULL,
    "currency" varchar(3) DEFAULT 'IDR' NOT NULL,
    "refund_of_id" integer NULL REFERENCES "payments" ("id") DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT "payments_amount_not_zero" CHECK ((("amount" BETWEEN '-9999999999.99' AND '9999999999.99' AND NOT ("amount" = '0'))) OR json_extract(exemptions, '$.payments_amount_not_zero') IS NOT NULL),
    CONSTRAINT "payments_amount_positive" CHECK ((("amount" > '0' OR "payment_type" = 'adjustment')) OR json_extract(exemptions, '$.payments_amount_positive') IS NOT NULL),
    CONSTRAINT "payments_method_known" CHECK (("payment_method" IN ('cash', 'credit_card', 'debit_card', 'bank_transfer', 'e_wallet', 'other')) OR json_extract(exemptions, '$.payments_method_known') IS NOT NULL),
    CONSTRAINT "payments_type_known" CHECK (("payment_type" IN ('full', 'downpayment', 'deposit', 'adjustment')) OR json_extract(exemptions, '$.payments_type_known') IS NOT NULL),
    CONSTRAINT "payments_refund_has_reason" CHECK (((NOT "is_refund" OR ("refund_reason" IS NOT NULL AND NOT ("refund_reason" = '' AND "refund_reason" IS NOT NULL)))) OR json_extract(exemptions, '$.payments_refund_has_reason') IS NOT NULL),
    CONSTRAINT "payments_asked_for_once" UNIQUE ("idempotency_key"),
    CONSTRAINT "payments_void_has_time" CHECK ((("is_voided" IS NULL OR NOT "is_voided" OR "voided_at" IS NOT NULL)) OR json_extract(exemptions, '$.payments_void_has_time') IS NOT NULL),
    CONSTRAINT "payments_only_refunds_give_back" CHECK ((("refund_of_id" IS NULL OR "is_refund")) OR json_extract(exemptions, '$.payments_only_refunds_give_back') IS NOT NULL),
    CONSTRAINT "payments_currency_is_code" CHECK ((("currency" GLOB '[A-Z][A-Z][A-Z]')) OR json_extract(exemptions, '$.payments_currency_is_code') IS NOT NULL)
);
CREATE INDEX "payments_created_by_632996c5" ON "payments" ("created_by");
CREATE INDEX "payments_exempt_idx" ON "payments" ("id") WHERE "exemptions" IS NOT NULL;
CREATE INDEX "payments_newest_idx" ON "payments" ("payment_date" DESC, "id" DESC);
CREATE INDEX "payments_refund_of_id_921af943" ON "payments" ("refund_of_id");
CREATE INDEX "payments_reservation_id_4f393c4b" ON "payments" ("reservation_id");
CREATE INDEX "payments_voided_by_dea9f4b2" ON "payments" ("voided_by");
CREATE TRIGGER "payments_amount_not_zero_changed" AFTER UPDATE OF "amount", exemptions ON "payments" WHEN json_extract(NEW.exemptions, '$.payments_amount_not_zero') IS NOT NULL AND (OLD."amount" IS NOT NEW."amount" OR json_extract(OLD.exemptions, '$.payments_amount_not_zero') IS NOT json_extract(NEW.exemptions, '$.payments_amount_not_zero')) BEGIN UPDATE "payments" SET exemptions = nullif(json_remove(exemptions, '$.payments_amount_not_zero'), '{}') WHERE "id" = NEW."id"; END;
CREATE TRIGGER "payments_amount_not_zero_new" AFTER INSERT ON "payments" WHEN json_extract(NEW.exemptions, '$.payments_amount_not_zero') IS NOT NULL BEGIN UPDATE "payments" SET exemptions = nullif(json_remove(exemptions, '$.payments_amount_not_zero'), '{}') WHERE "id" = NEW."id"; END;
CREATE TRIGGER "payments_amount_positive_changed" AFTER UPDATE OF "amount", "payment_type", exemptions ON "payments" WHEN json_extract(NEW.exemptions, '$.payments_amount_positive') IS NOT NULL AND (OLD."amount" IS NOT NEW."amount" OR OLD."payment_type" IS NOT NEW."payment_type" OR json_extract(OLD.exemptions, '$.payments_amount_positive') IS NOT json_extract(NEW.exemptions, '$.payments_amount_positive')) BEGIN UPDATE "payments" SET exemptions = nullif(json_remove(exemptions, '$.payments_amount_positive'), '{}') WHERE "id" = NEW."id"; END;
CREATE TRIGGER "payments_amount_positive_new" AFTER INSERT ON "payments" WHEN json_extract(NEW.exemptions, '$.payments_amount_positive') IS NOT NULL BEGIN UPDATE "payments" SET exemptions = nullif(json_remove(exemptions, '$.payments_amount_positive'), '{}') WHERE "id" = NEW."id"; END;
CREATE TRIGGER "payments_currency_is_code_changed" AFTER UPDATE OF "currency", exemptions ON "payments" WHEN json_extract(NEW.exemptions, '$.payments_currency_is_code') IS NOT NULL AND (OLD."currency" IS NOT NEW."currency" OR json_extract(OLD.exemptions, '$.payments_currency_is_code') IS NOT json_extract(NEW.exemptions, '$.payments_currency_is_code')) BEGIN UPDATE "payments" SET exemptions = nullif(json_remove(exemptions, '$.payments_currency_is_code'), '{}') WHERE "id" = NEW."id"; END;
CREATE TRIGGER "payments_currency_is_code_new" AFTER INSERT ON "payments" WHEN json_extract(NEW.exemptions, '$.payments_currency_is_code') IS NOT NULL BEGIN UPDATE "payments" SET exemptions = nullif(json_remove(exemptions, '$.payments_currency_is_code'), '{}') WHERE "id" = NEW."id"; END;
CREATE TRIGGER "payments_frozen_delete" BEFORE DELETE ON "payments"  BEGIN SELECT RAISE(ABORT, 'payments_frozen'); END;
CREATE TRIGGER "payments_frozen_insert" BEFORE INSERT ON "payments" WHEN EXISTS (SELECT 1 FROM "payments" WHERE "id" = NEW."id") BEGIN SELECT RAISE(ABORT, 'payments_frozen'); END;
CREATE TRIGGER "payments_frozen_update" BEFORE UPDATE ON "payments" WHEN OLD."id" IS NOT NEW."id" OR OLD."reservation_id" IS NOT NEW."reservation_id" OR OLD."payment_date" IS NOT NEW."payment_date" OR OLD."amount" IS NOT NEW."amount" OR OLD."currency" IS NOT NEW."currency" OR OLD."is_refund" IS NOT NEW."is_refund" OR OLD."refund_of_id" IS NOT NEW."refund_of_id" BEGIN SELECT RAISE(ABORT, 'payments_frozen'); END;
CREATE TRIGGER "payments_method_known_changed" AFTER UPDATE OF "payment_method", exemptions ON "payments" WHEN json_extract(NEW.exemptions, '$.payments_method_known') IS NOT NULL AND (OLD."payment_method" IS NOT NEW."payment_method" OR json_extract(OLD.exemptions, '$.payments_method_known') IS NOT json_extract(NEW.exemptions, '$.payments_method_known')) BEGIN UPDATE "payments" SET exemptions = nullif(json_remove(exemptions, '$.payments_method_known'), '{}') WHERE "id" = NEW."id"; END;
CREATE TRIGGER "payments_method_known_new" AFTER INSERT ON "payments" WHEN json_extract(NEW.exemptions, '$.payments_method_known') IS NOT NULL BEGIN UPDATE "payments" SET exemptions = nullif(json_remove(exemptions, '$.payments_method_known'), '{}') WHERE "id" = NEW."id"; END;
CREATE TRIGGER "payments_of_closed_days_delete" BEFORE DELETE ON "payments" WHEN EXISTS (SELECT 1 FROM "business_days" WHERE "business_days"."closed_at" IS NOT NULL AND "business_days"."day" = OLD."payment_date") BEGIN SELECT RAISE(ABORT, 'payments_of_closed_days'); END;
CREATE TRIGGER "payments_of_closed_days_insert" BEFORE INSERT ON "payments" WHEN EXISTS (SELECT 1 FROM "business_days" WHERE "business_days"."closed_at" IS NOT NULL AND "business_days"."day" = NEW."payment_date") OR EXISTS (SELECT 1 FROM "business_days" WHERE "business_days"."closed_at" IS NOT NULL AND "business_days"."day" IN (SELECT "payment_date" FROM "payments" WHERE "id" = NEW."id")) BEGIN SELECT RAISE(ABORT, 'payments_of_closed_days'); END;
CREATE TRIGGER "payments_of_closed_days_update" BEFORE UPDATE ON "payments" WHEN (OLD."payment_method" IS NOT NEW."payment_method" OR OLD."payment_type" IS NOT NEW."payment_type" OR OLD."is_voided" IS NOT NEW."is_voided") AND EXISTS (SELECT 1 FROM "business_days" WHERE "business_days"."closed_at" IS NOT NULL AND "business_days"."day" IN (OLD."payment_date", NEW."payment_date")) BEGIN SELECT RAISE(ABORT, 'payments_of_closed_days'); END;
CREATE TRIGGER "payments_only_refunds_give_back_changed" AFTER UPDATE OF "is_refund", "refund_of_id", exemptions ON "payments" WHEN json_extract(NEW.exemptions, '$.payments_only_refunds_give_back') IS NOT NULL AND (OLD."is_refund" IS NOT NEW."is_refund" OR OLD."refund_of_id" IS NOT NEW."refund_of_id" OR json_extract(OLD.exemptions, '$.payments_only_refunds_give_back') IS NOT json_extract(NEW.exemptions, '$.payments_only_refunds_give_back')) BEGIN UPDATE "payments" SET exemptions = nullif(json_remove(exemptions, '$.payments_only_refunds_give_back'), '{}') WHERE "id" = NEW."id"; END;
CREATE TRIGGER "payments_only_refunds_give_back_new" AFTER INSERT ON "payments" WHEN json_extract(NEW.exemptions, '$.payments_only_refunds_give_back') IS NOT NULL BEGIN UPDATE "payments" SET exemptions = nullif(json_remove(exemptions, '$.payments_only_refunds_give_back'), '{}') WHERE "id" = NEW."id"; END;
CREATE TRIGGER "payments_refund_has_reason_changed" AFTER UPDATE OF "is_refund", "refund_reason", exemptions ON "payments" WHEN json_extract(NEW.exemptions, '$.payments_refund_has_reason') IS NOT NULL AND (OLD."is_refund" IS NOT NEW."is_refund" OR OLD."refund_reason" IS NOT NEW."refund_reason" OR json_extract(OLD.exemptions, '$.payments_refund_has_reason') IS NOT json_extract(NEW.exemptions, '$.payments_refund_has_reason')) BEGIN UPDATE "payments" SET exemptions = nullif(json_remove(exemptions, '$.payments_refund_has_reason'), '{}') WHERE "id" = NEW."id"; END;
CREATE TRIGGER "payments_refund_has_reason_new" AFTER INSERT ON "payments" WHEN json_extract(NEW.exemptions, '$.payments_refund_has_reason') IS NOT NULL BEGIN UPDATE "payments" SET exemptions = nullif(json_remove(exemptions, '$.payments_refund_has_reason'), '{}') WHERE "id" = NEW."id"; END;
CREATE TRIGGER "payments_type_known_changed" AFTER UPDATE OF "payment_type", exemptions ON "payments" WHEN json_extract(NEW.exemptions, '$.payments_type_known') IS NOT NULL AND (OLD."payment_type" IS NOT NEW."payment_type" OR json_extract(OLD.exemptions, '$.payments_type_known') IS NOT json_extract(NEW.exemptions, '$.payments_type_known')) BEGIN UPDATE "payments" SET exemptions = nullif(json_remove(exemptions, '$.payments_type_known'), '{}') WHERE "id" = NEW."id"; END;
CREATE TRIGGER "payments_type_known_new" AFTER INSERT ON "payments" WHEN json_extract(NEW.exemptions, '$.payments_type_known') IS NOT NULL BEGIN UPDATE "payments" SET exemptions = nullif(json_remove(exemptions, '$.payments_type_known'), '{}') WHERE "id" = NEW."id"; END;
CREATE TRIGGER "payments_void_has_time_changed" AFTER UPDATE OF "is_voided", "voided_at", exemptions ON "payments" WHEN json_extract(NEW.exemptions, '$.payments_void_has_time') IS NOT NULL AND (OLD."is_voided" IS NOT NEW."is_voided" OR OLD."voided_at" IS NOT NEW."voided_at" OR json_extract(OLD.exemptions, '$.payments_void_has_time') IS NOT json_extract(NEW.exemptions, '$.payments_void_has_time')) BEGIN UPDATE "payments" SET exemptions = nullif(json_remove(exemptions, '$.payments_void_has_time'), '{}') WHERE "id" = NEW."id"; END;
CREATE TRIGGER "payments_void_has_time_new" AFTER INSERT ON "payments" WHEN json_extract(NEW.exemptions, '$.payments_void_has_time') IS NOT NULL BEGIN UPDATE "payments" SET exemptions = nullif(json_remove(exemptions, '$.payments_void_has_time'), '{}') WHERE "id" = NEW."id"; END;

CREATE TABLE "reservation_events" (
    "id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    "what" varchar(30) NOT NULL,
    "at" datetime NULL,
    "business_date" date NOT NULL,
    "changes" text NULL CHECK ((JSON_VALID("changes") OR "changes" IS NULL)),
    "reason" text NULL,
    "evidence" varchar(20) DEFAULT 'recorded' NOT NULL,
    "by_id" integer NULL REFERENCES "users" ("id") DEFERRABLE INITIALLY DEFERRED,
    "reservation_id" integer NOT NULL REFERENCES "reservations" ("id") DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT "reservation_events_evidence_known" CHECK ("evidence" IN ('recorded', 'legacy_column', 'admin_log'))
);
CREATE INDEX "reservation_events_by_id_51ec573d" ON "reservation_events" ("by_id");
CREATE INDEX "reservation_events_reservation_id_ea58f1fc" ON "reservation_events" ("reservation_id");
CREATE TRIGGER "reservation_events_append_only_delete" BEFORE DELETE ON "reservation_events"  BEGIN SELECT RAISE(ABORT, 'reservation_events_append_only'); END;
CREATE TRIGGER "reservation_events_append_only_insert" BEFORE INSERT ON "reservation_events" WHEN EXISTS (SELECT 1 FROM "reservation_events" WHERE "id" = NEW."id") BEGIN SELECT RAISE(ABORT, 'reservation_events_append_only'); END;
CREATE TRIGGER "reservation_events_append_only_update" BEFORE UPDATE ON "reservation_events"  BEGIN SELECT RAISE(ABORT, 'reservation_events_append_only'); END;

CREATE TABLE "stay_parts" (
    "id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    "start_date" date NOT NULL,
    "end_date" date NOT NULL,
    "status" varchar(20) NOT NULL,
    "is_present" bool DEFAULT 0 NOT NULL,
    "exemptions" text NULL CHECK ((JSON_VALID("exemptions") OR "exemptions" IS NULL)),
    "reservation_id" integer NOT NULL REFERENCES "reservations" ("id") DEFERRABLE INITIALLY DEFERRED,
    "room_id" integer NULL REFERENCES "rooms" ("id") DEFERRABLE INITIALLY DEFERRED,
    "room_type_id" integer NOT NULL REFERENCES "room_types" ("id") DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX "stay_parts_exempt_idx" ON "stay_parts" ("id") WHERE "exemptions" IS NOT NULL;
CREATE INDEX "stay_parts_in_order_idx" ON "stay_parts" ("reservation_id", "start_date");
CREATE INDEX "stay_parts_no_double_booking_key" ON "stay_parts" ("room_id", "start_date", "end_date") WHERE ("room_id" IS NOT NULL AND "status" IN ('confirmed', 'checked_in'));
CREATE INDEX "stay_parts_of_room_idx" ON "stay_parts" ("room_id", "end_date", "start_date") WHERE "status" IN ('pending', 'confirmed', 'checked_in');
CREATE INDEX "stay_parts_of_splits_idx" ON "stay_parts" ("reservation_id") WHERE NOT "is_present";
CREATE INDEX "stay_parts_of_type_idx" ON "stay_parts" ("room_type_id", "end_date", "start_date") WHERE "status" IN ('pending', 'confirmed', 'checked_in');
CREATE UNIQUE INDEX "stay_parts_one_present" ON "stay_parts" ("reservation_id") WHERE "is_present";
CREATE INDEX "stay_parts_reservation_id_220d809f" ON "stay_parts" ("reservation_id");
CREATE INDEX "stay_parts_room_id_8a798085" ON "stay_parts" ("room_id");
CREATE INDEX "stay_parts_room_type_id_6aa058f9" ON "stay_parts" ("room_type_id");
CREATE TRIGGER "stay_parts_make_the_stay_deleted" AFTER DELETE ON "stay_parts" BEGIN DELETE FROM migrator_conflicts WHERE rule = 'stay_parts_make_the_stay' AND one = OLD."reservation_id"; INSERT INTO migrator_conflicts (rule, one, other) SELECT 'stay_parts_make_the_stay', whole.id, whole.id FROM "reservations" AS whole WHERE whole.id = OLD."reservation_id" AND ((SELECT count(*) FROM "stay_parts" WHERE "reservation_id" = whole.id AND "is_present" AND NOT ("room_id" IS NOT whole."room_id")) <> 1 OR EXISTS (SELECT 1 FROM (SELECT "start_date" AS begins, "end_date" AS ends, lag("end_date") OVER (ORDER BY "start_date", id) AS before, lead("start_date") OVER (ORDER BY "start_date", id) AS later, count(*) OVER () AS number, "status" AS shared FROM "stay_parts" WHERE "reservation_id" = whole.id) AS part WHERE part.begins IS NOT coalesce(part.before, whole."check_in_date") OR part.ends IS NOT coalesce(part.later, whole."check_out_date") OR part.number > 1 AND part.ends <= part.begins OR part.shared IS NOT whole."status")); END;
CREATE TRIGGER "stay_parts_make_the_stay_inserted" AFTER INSERT ON "stay_parts" BEGIN DELETE FROM migrator_conflicts WHERE rule = 'stay_parts_make_the_stay' AND one = NEW."reservation_id"; INSERT INTO migrator_conflicts (rule, one, other) SELECT 'stay_parts_make_the_stay', whole.id, whole.id FROM "reservations" AS whole WHERE whole.id = NEW."reservation_id" AND ((SELECT count(*) FROM "stay_parts" WHERE "reservation_id" = whole.id AND "is_present" AND NOT ("room_id" IS NOT whole."room_id")) <> 1 OR EXISTS (SELECT 1 FROM (SELECT "start_date" AS begins, "end_date" AS ends, lag("end_date") OVER (ORDER BY "start_date", id) AS before, lead("start_date") OVER (ORDER BY "start_date", id) AS later, count(*) OVER () AS number, "status" AS shared FROM "stay_parts" WHERE "reservation_id" = whole.id) AS part WHERE part.begins IS NOT coalesce(part.before, whole."check_in_date") OR part.ends IS NOT coalesce(part.later, whole."check_out_date") OR part.number > 1 AND part.ends <= part.begins OR part.shared IS NOT whole."status")); END;
CREATE TRIGGER "stay_parts_make_the_stay_updated" AFTER UPDATE ON "stay_parts" BEGIN DELETE FROM migrator_conflicts WHERE rule = 'stay_parts_make_the_stay' AND one = OLD."reservation_id"; INSERT INTO migrator_conflicts (rule, one, other) SELECT 'stay_parts_make_the_stay', whole.id, whole.id FROM "reservations" AS whole WHERE whole.id = OLD."reservation_id" AND ((SELECT count(*) FROM "stay_parts" WHERE "reservation_id" = whole.id AND "is_present" AND NOT ("room_id" IS NOT whole."room_id")) <> 1 OR EXISTS (SELECT 1 FROM (SELECT "start_date" AS begins, "end_date" AS ends, lag("end_date") OVER (ORDER BY "start_date", id) AS before, lead("start_date") OVER (ORDER BY "start_date", id) AS later, count(*) OVER () AS number, "status" AS shared FROM "stay_parts" WHERE "reservation_id" = whole.id) AS part WHERE part.begins IS NOT coalesce(part.before, whole."check_in_date") OR part.ends IS NOT coalesce(part.later, whole."check_out_date") OR part.number > 1 AND part.ends <= part.begins OR part.shared IS NOT whole."status")); DELETE FROM migrator_conflicts WHERE rule = 'stay_parts_make_the_stay' AND one = NEW."reservation_id"; INSERT INTO migrator_conflicts (rule, one, other) SELECT 'stay_parts_make_the_stay', whole.id, whole.id FROM "reservations" AS whole WHERE whole.id = NEW."reservation_id" AND ((SELECT count(*) FROM "stay_parts" WHERE "reservation_id" = whole.id AND "is_present" AND NOT ("room_id" IS NOT whole."room_id")) <> 1 OR EXISTS (SELECT 1 FROM (SELECT "start_date" AS begins, "end_date" AS ends, lag("end_date") OVER (ORDER BY "start_date", id) AS before, lead("start_date") OVER (ORDER BY "start_date", id) AS later, count(*) OVER () AS number, "status" AS shared FROM "stay_parts" WHERE "reservation_id" = whole.id) AS part WHERE part.begins IS NOT coalesce(part.before, whole."check_in_date") OR part.ends IS NOT coalesce(part.later, whole."check_out_date") OR part.number > 1 AND part.ends <= part.begins OR part.shared IS NOT whole."status")); END;
CREATE TRIGGER "stay_parts_no_double_booking_changed" AFTER UPDATE OF "end_date", "room_id", "start_date", "status", exemptions ON "stay_parts" WHEN json_extract(NEW.exemptions, '$.stay_parts_no_double_booking') IS NOT NULL AND (OLD."end_date" IS NOT NEW."end_date" OR OLD."room_id" IS NOT NEW."room_id" OR OLD."start_date" IS NOT NEW."start_date" OR OLD."status" IS NOT NEW."status" OR json_extract(OLD.exemptions, '$.stay_parts_no_double_booking') IS NOT json_extract(NEW.exemptions, '$.stay_parts_no_double_booking')) BEGIN UPDATE "stay_parts" SET exemptions = nullif(json_remove(exemptions, '$.stay_parts_no_double_booking'), '{}') WHERE "id" = NEW."id"; END;
CREATE TRIGGER "stay_parts_no_double_booking_deleted" AFTER DELETE ON "stay_parts" BEGIN DELETE FROM migrator_conflicts WHERE rule = 'stay_parts_no_double_booking' AND OLD."id" IN (one, other); END;
CREATE TRIGGER "stay_parts_no_double_booking_inserted" AFTER INSERT ON "stay_parts" BEGIN DELETE FROM migrator_conflicts WHERE rule = 'stay_parts_no_double_booking' AND NEW."id" IN (one, other); INSERT INTO migrator_conflicts (rule, one, other) SELECT 'stay_parts_no_double_booking', one.key, other.key FROM (SELECT "id" AS key, "room_id" AS same0, "start_date" AS first, "end_date" AS after, json_extract(exemptions, '$.stay_parts_no_double_booking') IS NOT NULL AS exempt FROM "stay_parts" WHERE (("room_id" IS NOT NULL AND "status" IN ('confirmed', 'checked_in'))) AND "start_date" IS NOT NULL AND ("end_date" IS NULL OR "end_date" > "start_date") AND "id" = NEW."id") AS one JOIN (SELECT "id" AS key, "room_id" AS same0, "start_date" AS first, "end_date" AS after, json_extract(exemptions, '$.stay_parts_no_double_booking') IS NOT NULL AS exempt FROM "stay_parts" WHERE (("room_id" IS NOT NULL AND "status" IN ('confirmed', 'checked_in'))) AND "start_date" IS NOT NULL AND ("end_date" IS NULL OR "end_date" > "start_date")) AS other ON one.same0 = other.same0 AND one.key <> other.key AND (other.after IS NULL OR one.first < other.after) AND (one.after IS NULL OR other.first < one.after) AND NOT (one.exempt AND other.exempt); END;
CREATE TRIGGER "stay_parts_no_double_booking_new" AFTER INSERT ON "stay_parts" WHEN json_extract(NEW.exemptions, '$.stay_parts_no_double_booking') IS NOT NULL BEGIN UPDATE "stay_parts" SET exemptions = nullif(json_remove(exemptions, '$.stay_parts_no_double_booking'), '{}') WHERE "id" = NEW."id"; END;
CREATE TRIGGER "stay_parts_no_double_booking_updated" AFTER UPDATE OF "id", "end_date", "room_id", "start_date", "status", exemptions ON "stay_parts" BEGIN DELETE FROM migrator_conflicts WHERE rule = 'stay_parts_no_double_booking' AND OLD."id" IN (one, other); INSERT INTO migrator_conflicts (rule, one, other) SELECT 'stay_parts_no_double_booking', one.key, other.key FROM (SELECT "id" AS key, "room_id" AS same0, "start_date" AS first, "end_date" AS after, json_extract(exemptions, '$.stay_parts_no_double_booking') IS NOT NULL AS exempt FROM "stay_parts" WHERE (("room_id" IS NOT NULL AND "status" IN ('confirmed', 'checked_in'))) AND "start_date" IS NOT NULL AND ("end_date" IS NULL OR "end_date" > "start_date") AND "id" = NEW."id") AS one JOIN (SELECT "id" AS key, "room_id" AS same0, "start_date" AS first, "end_date" AS after, json_extract(exemptions, '$.stay_parts_no_double_booking') IS NOT NULL AS exempt FROM "stay_parts" WHERE (("room_id" IS NOT NULL AND "status" IN ('confirmed', 'checked_in'))) AND "start_date" IS NOT NULL AND ("end_date" IS NULL OR "end_date" > "start_date")) AS other ON one.same0 = other.same0 AND one.key <> other.key AND (other.after IS NULL OR one.first < other.after) AND (one.after IS NULL OR other.first < one.after) AND NOT (one.exempt AND other.exempt); END;

CREATE TABLE "charge_events" (
    "id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    "what" varchar(30) NOT NULL,
    "at" datetime NULL,
    "business_date" date NOT NULL,
    "changes" text NULL CHECK ((JSON_VALID("changes") OR "changes" IS NULL)),
    "reason" text NULL,
    "evidence" varchar(20) DEFAULT 'recorded' NOT NULL,
    "by_id" integer NULL REFERENCES "users" ("id") DEFERRABLE INITIALLY DEFERRED,
    "charge_id" integer NOT NULL REFERENCES "charges" ("id") DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT "charge_events_evidence_known" CHECK ("evidence" IN ('recorded', 'legacy_column', 'admin_log'))
);
CREATE INDEX "charge_events_by_id_f5abf2f4" ON "charge_events" ("by_id");
CREATE INDEX "charge_events_charge_id_0b3f4924" ON "charge_events" ("charge_id");
CREATE TRIGGER "charge_events_append_only_delete" BEFORE DELETE ON "charge_events"  BEGIN SELECT RAISE(ABORT, 'charge_events_append_only'); END;
CREATE TRIGGER "charge_events_append_only_insert" BEFORE INSERT ON "charge_events" WHEN EXISTS (SELECT 1 FROM "charge_events" WHERE "id" = NEW."id") BEGIN SELECT RAISE(ABORT, 'charge_events_append_only'); END;
CREATE TRIGGER "charge_events_append_only_update" BEFORE UPDATE ON "charge_events"  BEGIN SELECT RAISE(ABORT, 'charge_events_append_only'); END;

CREATE TABLE "deposit_movements" (
    "id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    "reservation_id" integer NOT NULL REFERENCES "reservations" ("id") DEFERRABLE INITIALLY DEFERRED,
    "kind" varchar(20) NOT NULL,
    "amount" decimal NOT NULL,
    "currency" varchar(3) DEFAULT 'IDR' NOT NULL,
    "payment_id" integer NULL REFERENCES "payments" ("id") DEFERRABLE INITIALLY DEFERRED,
    "occurred_at" datetime NULL,
    "business_date" date NOT NULL,
    "created_by" integer NULL REFERENCES "users" ("id") DEFERRABLE INITIALLY DEFERRED,
    "reason" text NULL,
    "idempotency_key" varchar(64) NULL,
    "evidence" varchar(20) NOT NULL,
    CONSTRAINT "deposit_movements_amount_positive" CHECK (("amount" > '0' OR ("kind" = 'corrected' AND NOT ("amount" = '0')))),
    CONSTRAINT "deposit_movements_evidence_known" CHECK ("evidence" IN ('recorded', 'payment', 'legacy_column', 'assumed')),
    CONSTRAINT "deposit_movements_asked_for_once" UNIQUE ("idempotency_key"),
    CONSTRAINT "deposit_movements_currency_is_code" CHECK (("currency" GLOB '[A-Z][A-Z][A-Z]')),
    CONSTRAINT "deposit_movements_kind_known" CHECK ("kind" IN ('collected', 'applied', 'unapplied', 'refunded', 'forfeited', 'corrected'))
);
CREATE INDEX "deposit_movements_created_by_2791a2e4" ON "deposit_movements" ("created_by");
CREATE INDEX "deposit_movements_payment_id_4cbd441a" ON "deposit_movements" ("payment_id");
CREATE INDEX "deposit_movements_reservation_id_f7ec9095" ON "deposit_movements" ("reservation_id");
CREATE TRIGGER "deposit_movements_append_only_delete" BEFORE DELETE ON "deposit_movements"  BEGIN SELECT RAISE(ABORT, 'deposit_movements_append_only'); END;
CREATE TRIGGER "deposit_movements_append_only_insert" BEFORE INSERT ON "deposit_movements" WHEN EXISTS (SELECT 1 FROM "deposit_movements" WHERE "id" = NEW."id") BEGIN SELECT RAISE(ABORT, 'deposit_movements_append_only'); END;
CREATE TRIGGER "deposit_movements_append_only_update" BEFORE UPDATE ON "deposit_movements"  BEGIN SELECT RAISE(ABORT, 'deposit_movements_append_only'); END;

CREATE TABLE "payment_attachments" (
    "id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    "file_name" varchar(255) NOT NULL,
    "file_type" varchar(20) NOT NULL,
    "file_path" varchar(500) NOT NULL,
    "storage_location" varchar(50) NOT NULL,
    "file_size_bytes" integer NULL,
    "mime_type" varchar(100) NULL,
    "original_filename" varchar(255) NULL,
    "description" text NULL,
    "is_verified" bool NULL,
    "verified_at" datetime NULL,
    "created_at" datetime NULL,
    "updated_at" datetime NULL,
    "payment_id" integer NOT NULL REFERENCES "payments" ("id") DEFERRABLE INITIALLY DEFERRED,
    "uploaded_by" integer NULL REFERENCES "users" ("id") DEFERRABLE INITIALLY DEFERRED,
    "verified_by" integer NULL REFERENCES "users" ("id") DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX "payment_attachments_payment_id_02dcb773" ON "payment_attachments" ("payment_id");
CREATE INDEX "payment_attachments_uploaded_by_a447eeca" ON "payment_attachments" ("uploaded_by");
CREATE INDEX "payment_attachments_verified_by_66af5066" ON "payment_attachments" ("verified_by");

CREATE TABLE "payment_events" (
    "id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    "what" varchar(30) NOT NULL,
    "at" datetime NULL,
    "business_date" date NOT NULL,
    "changes" text NULL CHECK ((JSON_VALID("changes") OR "changes" IS NULL)),
    "reason" text NULL,
    "evidence" varchar(20) DEFAULT 'recorded' NOT NULL,
    "by_id" integer NULL REFERENCES "users" ("id") DEFERRABLE INITIALLY DEFERRED,
    "payment_id" integer NOT NULL REFERENCES "payments" ("id") DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT "payment_events_evidence_known" CHECK ("evidence" IN ('recorded', 'legacy_column', 'admin_log'))
);
CREATE INDEX "payment_events_by_id_241779d0" ON "payment_events" ("by_id");
CREATE INDEX "payment_events_payment_id_ecc781a6" ON "payment_events" ("payment_id");
CREATE TRIGGER "payment_events_append_only_delete" BEFORE DELETE ON "payment_events"  BEGIN SELECT RAISE(ABORT, 'payment_events_append_only'); END;
CREATE TRIGGER "payment_events_append_only_insert" BEFORE INSERT ON "payment_events" WHEN EXISTS (SELECT 1 FROM "payment_events" WHERE "id" = NEW."id") BEGIN SELECT RAISE(ABORT, 'payment_events_append_only'); END;
CREATE TRIGGER "payment_events_append_only_update" BEFORE UPDATE ON "payment_events"  BEGIN SELECT RAISE(ABORT, 'payment_events_append_only'); END;

INSERT INTO "auth_group" ("id", "name") VALUES
    (1, 'Manager'),
    (2, 'Front desk'),
    (3, 'Housekeeping'),
    (4, 'Accounting'),
    (5, 'Read-only');

DELETE FROM sqlite_sequence WHERE name = 'auth_group';
INSERT INTO sqlite_sequence (name, seq) VALUES ('auth_group', 5);

DELETE FROM sqlite_sequence WHERE name = 'auth_permission';
INSERT INTO sqlite_sequence (name, seq) VALUES ('auth_permission', 0);

DELETE FROM sqlite_sequence WHERE name = 'axes_accessattempt';
INSERT INTO sqlite_sequence (name, seq) VALUES ('axes_accessattempt', 0);

DELETE FROM sqlite_sequence WHERE name = 'axes_accesslog';
INSERT INTO sqlite_sequence (name, seq) VALUES ('axes_accesslog', 0);

DELETE FROM sqlite_sequence WHERE name = 'business_day_events';
INSERT INTO sqlite_sequence (name, seq) VALUES ('business_day_events', 0);

DELETE FROM sqlite_sequence WHERE name = 'business_days';
INSERT INTO sqlite_sequence (name, seq) VALUES ('business_days', 0);

DELETE FROM sqlite_sequence WHERE name = 'charge_events';
INSERT INTO sqlite_sequence (name, seq) VALUES ('charge_events', 0);

DELETE FROM sqlite_sequence WHERE name = 'charges';
INSERT INTO sqlite_sequence (name, seq) VALUES ('charges', 0);

DELETE FROM sqlite_sequence WHERE name = 'daily_adjustments';
INSERT INTO sqlite_sequence (name, seq) VALUES ('daily_adjustments', 0);

DELETE FROM sqlite_sequence WHERE name = 'daily_metrics';
INSERT INTO sqlite_sequence (name, seq) VALUES ('daily_metrics', 0);

DELETE FROM sqlite_sequence WHERE name = 'deposit_movements';
INSERT INTO sqlite_sequence (name, seq) VALUES ('deposit_movements', 0);

DELETE FROM sqlite_sequence WHERE name = 'django_admin_log';
INSERT INTO sqlite_sequence (name, seq) VALUES ('django_admin_log', 0);

DELETE FROM sqlite_sequence WHERE name = 'django_content_type';
INSERT INTO sqlite_sequence (name, seq) VALUES ('django_content_type', 0);

DELETE FROM sqlite_sequence WHERE name = 'expenses';
INSERT INTO sqlite_sequence (name, seq) VALUES ('expenses', 0);

DELETE FROM sqlite_sequence WHERE name = 'guests';
INSERT INTO sqlite_sequence (name, seq) VALUES ('guests', 0);

DELETE FROM sqlite_sequence WHERE name = 'migrator_conflicts';
INSERT INTO sqlite_sequence (name, seq) VALUES ('migrator_conflicts', 0);

DELETE FROM sqlite_sequence WHERE name = 'payment_events';
INSERT INTO sqlite_sequence (name, seq) VALUES ('payment_events', 0);

DELETE FROM sqlite_sequence WHERE name = 'payments';
INSERT INTO sqlite_sequence (name, seq) VALUES ('payments', 0);

DELETE FROM sqlite_sequence WHERE name = 'reservation_events';
INSERT INTO sqlite_sequence (name, seq) VALUES ('reservation_events', 0);

DELETE FROM sqlite_sequence WHERE name = 'reservations';
INSERT INTO sqlite_sequence (name, seq) VALUES ('reservations', 0);

DELETE FROM sqlite_sequence WHERE name = 'room_blocks';
INSERT INTO sqlite_sequence (name, seq) VALUES ('room_blocks', 0);

DELETE FROM sqlite_sequence WHERE name = 'room_events';
INSERT INTO sqlite_sequence (name, seq) VALUES ('room_events', 0);

DELETE FROM sqlite_sequence WHERE name = 'room_types';
INSERT INTO sqlite_sequence (name, seq) VALUES ('room_types', 0);

DELETE FROM sqlite_sequence WHERE name = 'rooms';
INSERT INTO sqlite_sequence (name, seq) VALUES ('rooms', 0);

DELETE FROM sqlite_sequence WHERE name = 'stay_parts';
INSERT INTO sqlite_sequence (name, seq) VALUES ('stay_parts', 0);

DELETE FROM sqlite_sequence WHERE name = 'users';
INSERT INTO sqlite_sequence (name, seq) VALUES ('users', 0);

DELETE FROM sqlite_sequence WHERE name = 'users_groups';
INSERT INTO sqlite_sequence (name, seq) VALUES ('users_groups', 0);

-- The migrations that this stands for, each with the checksum of its file

INSERT INTO django_migrations (app, name, applied) VALUES
    ('accounts', '0001_initial', CURRENT_TIMESTAMP), -- 85f5aebeb79931de
    ('rooms', '0001_initial', CURRENT_TIMESTAMP), -- 10110902ad0094c8
    ('reservations', '0001_initial', CURRENT_TIMESTAMP), -- 1533974202f4e80a
    ('payments', '0001_initial', CURRENT_TIMESTAMP), -- 7491a5ae0331b790
    ('dashboard', '0001_initial', CURRENT_TIMESTAMP), -- 81cb575f1fb36791
    ('reservations', '0002_add_guest_images', CURRENT_TIMESTAMP), -- 0d734fbc877eb2a7
    ('payments', '0002_add_expenses', CURRENT_TIMESTAMP), -- b72ad1d87f8d1a2c
    ('reservations', '0003_add_checked_in_by', CURRENT_TIMESTAMP), -- c12745528421ec82
    ('reservations', '0004_add_deposit_columns', CURRENT_TIMESTAMP), -- af09f38f12257e83
    ('payments', '0003_add_payment_type', CURRENT_TIMESTAMP), -- 10ddda1975fed1bd
    ('reservations', '0005_backfill_deposit_amount', CURRENT_TIMESTAMP), -- af4a09cff8a4a360
    ('reservations', '0006_require_deposit_amount', CURRENT_TIMESTAMP), -- a35d7bfc59281a08
    ('payments', '0004_backfill_payment_type', CURRENT_TIMESTAMP), -- b9d24d57ff17fa14
    ('payments', '0005_require_payment_type', CURRENT_TIMESTAMP), -- 580d75c3b5793e45
    ('reservations', '0007_rename_checked_in_by_name', CURRENT_TIMESTAMP), -- aacede477dc3ecf5
    ('reservations', '0008_add_new_status', CURRENT_TIMESTAMP), -- 4042dd53ba30094a
    ('reservations', '0009_transform_status', CURRENT_TIMESTAMP), -- 04b979f230b2a7a4
    ('reservations', '0010_require_new_status', CURRENT_TIMESTAMP), -- 43da3b5f391c5b97
    ('reservations', '0011_replace_status', CURRENT_TIMESTAMP), -- 35f65a01fe4554e7
    ('rooms', '0002_add_housekeeping_status', CURRENT_TIMESTAMP), -- 746e2511fb607d6f
    ('rooms', '0003_transform_room_status', CURRENT_TIMESTAMP), -- fb319e31f34c8865
    ('rooms', '0004_require_room_status', CURRENT_TIMESTAMP), -- 8927f0a357dbd3e1
    ('contenttypes', '0001_initial', CURRENT_TIMESTAMP), -- 504077b913fcaa32
    ('contenttypes', '0002_remove_content_type_name', CURRENT_TIMESTAMP), -- 99b5f7ecc0d34b9b
    ('auth', '0001_initial', CURRENT_TIMESTAMP), -- f250e927bda8cfe4
    ('auth', '0002_alter_permission_name_max_length', CURRENT_TIMESTAMP), -- 9c42996a8f1d28ad
    ('auth', '0003_alter_user_email_max_length', CURRENT_TIMESTAMP), -- 55dc23ed440fc114
    ('auth', '0004_alter_user_username_opts', CURRENT_TIMESTAMP), -- 79b1892c65175d9d
    ('auth', '0005_alter_user_last_login_null', CURRENT_TIMESTAMP), -- 2b7d5d8fe35473e5
    ('auth', '0006_require_contenttypes_0002', CURRENT_TIMESTAMP), -- 1f4ab104e4a1fab2
    ('auth', '0007_alter_validators_add_error_messages', CURRENT_TIMESTAMP), -- 8e0091b3399b54c2
    ('auth', '0008_alter_user_username_max_length', CURRENT_TIMESTAMP), -- 6445f37e36b8de52
    ('auth', '0009_alter_user_last_name_max_length', CURRENT_TIMESTAMP), -- ca86670bd2697b78
    ('auth', '0010_alter_group_name_max_length', CURRENT_TIMESTAMP), -- 76bddf87b9ff360d
    ('auth', '0011_update_proxy_permissions', CURRENT_TIMESTAMP), -- f3e1ad73332d0571
    ('auth', '0012_alter_user_first_name_max_length', CURRENT_TIMESTAMP), -- 576f4dca07739393
    ('accounts', '0002_add_django_columns', CURRENT_TIMESTAMP), -- d0cf9c228b59aab1
    ('accounts', '0003_add_permission_grants', CURRENT_TIMESTAMP), -- c3aac0e9ffd350c9
    ('accounts', '0004_convert_credentials', CURRENT_TIMESTAMP), -- 1442a9c042ebb935
    ('accounts', '0005_convert_roles', CURRENT_TIMESTAMP), -- 70b1565b996735ca
    ('accounts', '0006_drop_role_and_status', CURRENT_TIMESTAMP), -- 0908c8d7833644a2
    ('accounts', '0007_convert_timestamps', CURRENT_TIMESTAMP), -- 122454b6f549f2a5
    ('dashboard', '0002_convert_timestamps', CURRENT_TIMESTAMP), -- 61a275fc53e45a6a
    ('rooms', '0005_convert_timestamps', CURRENT_TIMESTAMP), -- 143c3ba036fe9957
    ('reservations', '0012_convert_timestamps', CURRENT_TIMESTAMP), -- 564671f6a60f6b7a
    ('payments', '0006_convert_timestamps', CURRENT_TIMESTAMP), -- c278eb33b72cdbe8
    ('accounts', '0008_add_exemptions', CURRENT_TIMESTAMP), -- 075feb53b1c90dad
    ('rooms', '0006_add_exemptions', CURRENT_TIMESTAMP), -- 761998baf44b0559
    ('reservations', '0013_add_exemptions', CURRENT_TIMESTAMP), -- 0a78eae506722829
    ('payments', '0007_add_exemptions', CURRENT_TIMESTAMP), -- 50fbd622cf857656
    ('rooms', '0007_add_rules', CURRENT_TIMESTAMP), -- 08106f433cc03e4c
    ('rooms', '0008_validate_rules', CURRENT_TIMESTAMP), -- 36e776aa5d50ae4c
    ('reservations', '0014_add_rules', CURRENT_TIMESTAMP), -- c78a0964e707d58e
    ('reservations', '0015_validate_rules', CURRENT_TIMESTAMP), -- 86f440a77750a0f8
    ('payments', '0008_add_rules', CURRENT_TIMESTAMP), -- 5c9a89c845a4c075
    ('payments', '0009_validate_rules', CURRENT_TIMESTAMP), -- 1e8c726f77e46b86
    ('reservations', '0016_forbid_double_booking', CURRENT_TIMESTAMP), -- 48c989b2daa6296c
    ('accounts', '0009_forbid_username_twins', CURRENT_TIMESTAMP), -- 24d8ed071120a0b4
    ('admin', '0001_initial', CURRENT_TIMESTAMP), -- 62e505f024ae2190
    ('admin', '0002_logentry_remove_auto_add', CURRENT_TIMESTAMP), -- 1fe51743f9e9b8b1
    ('admin', '0003_logentry_add_action_flag_choices', CURRENT_TIMESTAMP), -- 8e0f517de1c6277a
    ('axes', '0001_initial', CURRENT_TIMESTAMP), -- ce69ff4cf0b3e916
    ('axes', '0002_auto_20151217_2044', CURRENT_TIMESTAMP), -- 28a21f0b6c031c10
    ('axes', '0003_auto_20160322_0929', CURRENT_TIMESTAMP), -- 502d60f100f633db
    ('axes', '0004_auto_20181024_1538', CURRENT_TIMESTAMP), -- 8848ea5694af0985
    ('axes', '0005_remove_accessattempt_trusted', CURRENT_TIMESTAMP), -- 41978036dbd0e9ad
    ('axes', '0006_remove_accesslog_trusted', CURRENT_TIMESTAMP), -- 12f022f9533fe72c
    ('axes', '0007_alter_accessattempt_unique_together', CURRENT_TIMESTAMP), -- b4a0f40a5f93150e
    ('axes', '0008_accessfailurelog', CURRENT_TIMESTAMP), -- 8fab9f1ed86f2537
    ('axes', '0009_add_session_hash', CURRENT_TIMESTAMP), -- ddc97cb6b7816f30
    ('axes', '0010_accessattemptexpiration', CURRENT_TIMESTAMP), -- 9ee974629e5310ea
    ('reservations', '0017_replace_number_of_nights', CURRENT_TIMESTAMP), -- ea8dcb7ecc54c6be
    ('rooms', '0009_add_room_blocks', CURRENT_TIMESTAMP), -- a20651137a070c1a
    ('rooms', '0010_backfill_room_blocks', CURRENT_TIMESTAMP), -- 5b3591cf4bc5db95
    ('reservations', '0018_add_cancellation', CURRENT_TIMESTAMP), -- 0a4b39d2884a4a59
    ('payments', '0010_add_voids_and_refunds', CURRENT_TIMESTAMP), -- 3525081939dd15b5
    ('payments', '0011_add_void_rules', CURRENT_TIMESTAMP), -- e57c3bd70355ad7a
    ('payments', '0012_validate_void_rules', CURRENT_TIMESTAMP), -- c331ed2ea32e043c
    ('reservations', '0019_add_deposit_held', CURRENT_TIMESTAMP), -- 3aa4bfecad54d656
    ('payments', '0013_add_deposit_movements', CURRENT_TIMESTAMP), -- d9c1b9ec00e30908
    ('payments', '0014_backfill_deposit_movements', CURRENT_TIMESTAMP), -- a4023ab4f20e1363
    ('reservations', '0020_backfill_deposit_held', CURRENT_TIMESTAMP), -- 2817994b6008512a
    ('reservations', '0021_validate_deposit_held', CURRENT_TIMESTAMP), -- 242f51ccefadcc1e
    ('payments', '0015_restrict_deposit_movements', CURRENT_TIMESTAMP), -- c9829b41745419e3
    ('reservations', '0022_allow_desk_actions', CURRENT_TIMESTAMP), -- fd919ea0ad49cfdd
    ('payments', '0016_allow_money_actions', CURRENT_TIMESTAMP), -- 8026375e67221fb9
    ('rooms', '0011_allow_cleaning', CURRENT_TIMESTAMP), -- 98d5f89f1bd5c21b
    ('reservations', '0023_add_currency', CURRENT_TIMESTAMP), -- d315d4c2e5361688
    ('payments', '0017_add_currency', CURRENT_TIMESTAMP), -- b6cb039c5a08dce6
    ('reservations', '0024_validate_currency', CURRENT_TIMESTAMP), -- 6945cc58ab08ee9a
    ('payments', '0018_validate_currency', CURRENT_TIMESTAMP), -- 5ecc409b2bda6ab1
    ('rooms', '0012_retire_indexes', CURRENT_TIMESTAMP), -- 8e182a81384831c3
    ('reservations', '0025_index_guests', CURRENT_TIMESTAMP), -- 197649eefd9bb95c
    ('reservations', '0026_index_reservations', CURRENT_TIMESTAMP), -- f655d359d7dffefb
    ('payments', '0019_index_payments', CURRENT_TIMESTAMP), -- de9c313114a499d8
    ('dashboard', '0003_add_daily_metrics', CURRENT_TIMESTAMP), -- 7f08da989f8d8b13
    ('rooms', '0013_add_room_events', CURRENT_TIMESTAMP), -- 1da2588fd2157c67
    ('rooms', '0014_backfill_room_events', CURRENT_TIMESTAMP), -- 921e9c9724a2cb44
    ('rooms', '0015_restrict_room_events', CURRENT_TIMESTAMP), -- d87e57a872ef4776
    ('reservations', '0027_add_stay_events', CURRENT_TIMESTAMP), -- 6b7ead8b10d44f5b
    ('reservations', '0028_backfill_stay_events', CURRENT_TIMESTAMP), -- 0a9f6afedfba8c40
    ('reservations', '0029_restrict_stay_events', CURRENT_TIMESTAMP), -- f4dac28e6b99604b
    ('payments', '0020_add_payment_events', CURRENT_TIMESTAMP), -- 65c69740e2c9ff3c
    ('payments', '0021_backfill_payment_events', CURRENT_TIMESTAMP), -- 145e922500c94443
    ('payments', '0022_restrict_payment_events', CURRENT_TIMESTAMP), -- 17e047e2dc095593
    ('payments', '0023_restrict_payments', CURRENT_TIMESTAMP), -- 7931e4f254924060
    ('dashboard', '0004_add_sent_forms', CURRENT_TIMESTAMP), -- 35ef7cf309ab68ac
    ('reservations', '0030_add_stay_parts', CURRENT_TIMESTAMP), -- df840b9fa4c2ea3d
    ('reservations', '0031_link_stay_parts', CURRENT_TIMESTAMP), -- 3e71797b99677579
    ('reservations', '0032_backfill_stay_parts', CURRENT_TIMESTAMP), -- b50b6a1d9ae8a7b8
    ('reservations', '0033_backfill_late_stay_parts', CURRENT_TIMESTAMP), -- 9fa7d440443cde77
    ('reservations', '0034_forbid_double_nights', CURRENT_TIMESTAMP), -- 52f60829307740a0
    ('reservations', '0035_restrict_stay_parts', CURRENT_TIMESTAMP), -- 0a73f5760cfc08c4
    ('reservations', '0036_retire_double_booking_of_stays', CURRENT_TIMESTAMP), -- 906c650d10ac2e9d
    ('reservations', '0037_add_guest_search_key', CURRENT_TIMESTAMP), -- d7360f1694fa67b3
    ('reservations', '0038_backfill_guest_search_key', CURRENT_TIMESTAMP), -- 525cafde3b2c2e3d
    ('reservations', '0039_require_guest_search_key', CURRENT_TIMESTAMP), -- bc837e8d9a675363
    ('reservations', '0040_index_guest_search_keys', CURRENT_TIMESTAMP), -- dc5f10407cdec3e4
    ('reservations', '0041_remove_deposit_limit', CURRENT_TIMESTAMP), -- 509314068a2511be
    ('payments', '0024_allow_unapplied', CURRENT_TIMESTAMP), -- ef32b43ae51890a4
    ('payments', '0025_add_charges', CURRENT_TIMESTAMP), -- 1e5f981332303c13
    ('rooms', '0016_transform_occupied', CURRENT_TIMESTAMP), -- 9b667f92614c42fd
    ('dashboard', '0005_add_business_days', CURRENT_TIMESTAMP), -- f7a82b668223cc0e
    ('dashboard', '0006_add_business_day_events', CURRENT_TIMESTAMP), -- 2b6ce34c8e50ba48
    ('dashboard', '0007_add_daily_adjustments', CURRENT_TIMESTAMP), -- e7c013cbfdb9ae74
    ('dashboard', '0008_restrict_closed_days', CURRENT_TIMESTAMP), -- fc85800b29436d61
    ('payments', '0026_restrict_closed_days', CURRENT_TIMESTAMP), -- dea85011602304ab
    ('reservations', '0042_add_guest_merges', CURRENT_TIMESTAMP), -- 49d88bdc2dc8b679
    ('reservations', '0043_allow_overbooking', CURRENT_TIMESTAMP), -- c4e043448747a506
    ('sessions', '0001_initial', CURRENT_TIMESTAMP); -- dac834285c2be7eb

COMMIT;
