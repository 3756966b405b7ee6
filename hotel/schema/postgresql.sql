-- The whole schema on PostgreSQL, for reading, and for a database without tables.
-- Written by: manage.py db snapshot. It stands for 130 migrations.
-- checksum: 05f3c4078989b2afaf5da2589c9a682a
BEGIN;

CREATE EXTENSION IF NOT EXISTS "btree_gist";

CREATE EXTENSION IF NOT EXISTS "pg_trgm";

CREATE OR REPLACE FUNCTION migrator_append_only()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'integrity_constraint_violation',
        MESSAGE = TG_NAME || ': rows of ' || TG_TABLE_NAME || ' are never changed or deleted',
        CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME;
END
$function$;

CREATE OR REPLACE FUNCTION migrator_closable()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
DECLARE
    before jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END;
    after jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END;
    was_closed boolean := coalesce(before ->> TG_ARGV[1], '') <> '';
    is_closed boolean := coalesce(after ->> TG_ARGV[1], '') <> '';
    has_later boolean := false;
BEGIN
    IF is_closed AND NOT was_closed OR was_closed AND TG_OP = 'UPDATE' AND NOT is_closed THEN
        EXECUTE 'SELECT EXISTS (SELECT 1 FROM ' || TG_RELID::regclass || ' WHERE '
            || quote_ident(TG_ARGV[1]) || ' IS NOT NULL AND '
            || quote_ident(TG_ARGV[0]) || ' > ($1).' || quote_ident(TG_ARGV[0]) || ')'
        INTO has_later USING NEW;
    END IF;
    IF has_later OR was_closed AND (
        TG_OP = 'DELETE' OR is_closed OR coalesce(after ->> TG_ARGV[2], '') = ''
        OR (before -> TG_ARGV[0]) IS DISTINCT FROM (after -> TG_ARGV[0])
    ) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'integrity_constraint_violation',
            MESSAGE = TG_NAME || ': a closed row of ' || TG_TABLE_NAME || ' stays as it is',
            CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME;
    END IF;
    RETURN coalesce(NEW, OLD);
END
$function$;

CREATE OR REPLACE FUNCTION migrator_end_exemption()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    IF TG_OP = 'INSERT'
        OR (OLD.exemptions -> TG_ARGV[0]) IS DISTINCT FROM (NEW.exemptions -> TG_ARGV[0])
        OR EXISTS (
            SELECT 1 FROM unnest(TG_ARGV[1:]) AS name
            WHERE (to_jsonb(OLD) -> name) IS DISTINCT FROM (to_jsonb(NEW) -> name)
                OR NOT to_jsonb(NEW) ? name
        )
    THEN
        NEW.exemptions := nullif(NEW.exemptions - TG_ARGV[0], '{}');
    END IF;
    RETURN NEW;
END
$function$;

CREATE OR REPLACE FUNCTION migrator_frozen()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
DECLARE
    changed text;
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION USING
            ERRCODE = 'integrity_constraint_violation',
            MESSAGE = TG_NAME || ': rows of ' || TG_TABLE_NAME || ' are never deleted',
            CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME;
    END IF;
    SELECT name INTO changed FROM unnest(TG_ARGV) AS name
        WHERE (to_jsonb(OLD) -> name) IS DISTINCT FROM (to_jsonb(NEW) -> name)
            OR NOT to_jsonb(NEW) ? name
        LIMIT 1;
    IF changed IS NOT NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'integrity_constraint_violation',
            MESSAGE = TG_NAME || ': ' || changed || ' of ' || TG_TABLE_NAME || ' never changes',
            CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, COLUMN = changed;
    END IF;
    RETURN NEW;
END
$function$;

CREATE OR REPLACE FUNCTION migrator_sealed()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
DECLARE
    asked text := 'SELECT EXISTS (SELECT 1 FROM ' || quote_ident(TG_ARGV[0]) || ' WHERE '
        || quote_ident(TG_ARGV[2]) || ' IS NOT NULL AND '
        || quote_ident(TG_ARGV[1]) || ' = ($1).' || quote_ident(TG_ARGV[3]) || ')';
    is_closed boolean := false;
BEGIN
    IF TG_OP = 'UPDATE' AND TG_NARGS > 4 THEN
        IF NOT EXISTS (
            SELECT 1 FROM unnest(TG_ARGV[4:]) AS name
            WHERE (to_jsonb(OLD) -> name) IS DISTINCT FROM (to_jsonb(NEW) -> name)
                OR NOT to_jsonb(NEW) ? name
        ) THEN
            RETURN NEW;
        END IF;
    END IF;
    EXECUTE 'LOCK TABLE ' || quote_ident(TG_ARGV[0]) || ' IN ROW SHARE MODE';
    IF TG_OP <> 'INSERT' THEN
        EXECUTE asked INTO is_closed USING OLD;
    END IF;
    IF TG_OP <> 'DELETE' AND NOT is_closed THEN
        EXECUTE asked INTO is_closed USING NEW;
    END IF;
    IF is_closed THEN
        RAISE EXCEPTION USING
            ERRCODE = 'integrity_constraint_violation',
            MESSAGE = TG_NAME || ': rows of ' || TG_TABLE_NAME || ' in a closed period stay',
            CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME;
    END IF;
    RETURN coalesce(NEW, OLD);
END
$function$;

CREATE OR REPLACE FUNCTION reservations_have_parts()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO "stay_parts" ("reservation_id", "start_date", "end_date", "status", "room_id", "room_type_id", "is_present") VALUES (NEW.id, NEW."check_in_date", NEW."check_out_date", NEW."status", NEW."room_id", NEW."room_type_id", true);
    ELSIF TG_OP = 'DELETE' THEN
        DELETE FROM "stay_parts" WHERE "reservation_id" = OLD.id;
    ELSE
        DELETE FROM "stay_parts" WHERE "reservation_id" = NEW.id AND NOT "is_present" AND ((SELECT min("end_date") FROM "stay_parts" WHERE "reservation_id" = NEW.id) <= NEW."check_in_date" OR (SELECT max("start_date") FROM "stay_parts" WHERE "reservation_id" = NEW.id) >= NEW."check_out_date");
        UPDATE "stay_parts" SET "status" = NEW."status", "start_date" = CASE WHEN "start_date" = (SELECT min("start_date") FROM "stay_parts" WHERE "reservation_id" = NEW.id) THEN NEW."check_in_date" ELSE "start_date" END, "end_date" = CASE WHEN "start_date" = (SELECT max("start_date") FROM "stay_parts" WHERE "reservation_id" = NEW.id) THEN NEW."check_out_date" ELSE "end_date" END, "room_id" = CASE WHEN "is_present" THEN NEW."room_id" ELSE "room_id" END, "room_type_id" = CASE WHEN "room_type_id" = OLD."room_type_id" OR (SELECT count(*) FROM "stay_parts" WHERE "reservation_id" = NEW.id) = 1 THEN NEW."room_type_id" ELSE "room_type_id" END WHERE "reservation_id" = NEW.id AND ("status" IS DISTINCT FROM NEW."status" OR ("start_date" = (SELECT min("start_date") FROM "stay_parts" WHERE "reservation_id" = NEW.id)) AND "start_date" IS DISTINCT FROM NEW."check_in_date" OR ("start_date" = (SELECT max("start_date") FROM "stay_parts" WHERE "reservation_id" = NEW.id)) AND "end_date" IS DISTINCT FROM NEW."check_out_date" OR ("is_present") AND "room_id" IS DISTINCT FROM NEW."room_id" OR ("room_type_id" = OLD."room_type_id" OR (SELECT count(*) FROM "stay_parts" WHERE "reservation_id" = NEW.id) = 1) AND "room_type_id" IS DISTINCT FROM NEW."room_type_id");
    END IF;
    RETURN NULL;
END
$function$;

CREATE OR REPLACE FUNCTION stay_parts_make_the_stay()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    IF EXISTS (SELECT 1 FROM "reservations" AS whole WHERE whole.id IN (OLD."reservation_id", NEW."reservation_id") AND ((SELECT count(*) FROM "stay_parts" WHERE "reservation_id" = whole.id AND "is_present" AND NOT ("room_id" IS DISTINCT FROM whole."room_id")) <> 1 OR EXISTS (SELECT 1 FROM (SELECT "start_date" AS begins, "end_date" AS ends, lag("end_date") OVER (ORDER BY "start_date", id) AS before, lead("start_date") OVER (ORDER BY "start_date", id) AS later, count(*) OVER () AS number, "status" AS shared FROM "stay_parts" WHERE "reservation_id" = whole.id) AS part WHERE part.begins IS DISTINCT FROM coalesce(part.before, whole."check_in_date") OR part.ends IS DISTINCT FROM coalesce(part.later, whole."check_out_date") OR part.number > 1 AND part.ends <= part.begins OR part.shared IS DISTINCT FROM whole."status"))) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'integrity_constraint_violation',
            MESSAGE = TG_NAME || ': the parts do not add up to row '
                || coalesce(NEW."reservation_id", OLD."reservation_id") || ' of reservations',
            CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NULL;
END
$function$;

CREATE TABLE "auth_group" (
    "id" integer GENERATED BY DEFAULT AS IDENTITY NOT NULL,
    "name" character varying(150) NOT NULL,
    CONSTRAINT "auth_group_name_key" UNIQUE (name),
    CONSTRAINT "auth_group_pkey" PRIMARY KEY (id)
);
CREATE INDEX auth_group_name_a6ea08ec_like ON auth_group USING btree (name varchar_pattern_ops);

CREATE TABLE "auth_group_permissions" (
    "id" integer GENERATED BY DEFAULT AS IDENTITY NOT NULL,
    "group_id" integer NOT NULL,
    "permission_id" integer NOT NULL,
    CONSTRAINT "auth_group_permissions_group_id_permission_id_0cd325b0_uniq" UNIQUE (group_id, permission_id),
    CONSTRAINT "auth_group_permissions_pkey" PRIMARY KEY (id)
);
CREATE INDEX auth_group_permissions_group_id_b120cbf9 ON auth_group_permissions USING btree (group_id);
CREATE INDEX auth_group_permissions_permission_id_84c5c92e ON auth_group_permissions USING btree (permission_id);

CREATE TABLE "auth_permission" (
    "id" integer GENERATED BY DEFAULT AS IDENTITY NOT NULL,
    "name" character varying(255) NOT NULL,
    "content_type_id" integer NOT NULL,
    "codename" character varying(100) NOT NULL,
    CONSTRAINT "auth_permission_content_type_id_codename_01ab375a_uniq" UNIQUE (content_type_id, codename),
    CONSTRAINT "auth_permission_pkey" PRIMARY KEY (id)
);
CREATE INDEX auth_permission_content_type_id_2f476e4b ON auth_permission USING btree (content_type_id);

CREATE TABLE "axes_accessattempt" (
    "id" integer GENERATED BY DEFAULT AS IDENTITY NOT NULL,
    "user_agent" character varying(255) NOT NULL,
    "ip_address" inet,
    "username" character varying(255),
    "http_accept" character varying(1025) NOT NULL,
    "path_info" character varying(255) NOT NULL,
    "attempt_time" timestamp with time zone NOT NULL,
    "get_data" text NOT NULL,
    "post_data" text NOT NULL,
    "failures_since_start" integer NOT NULL,
    CONSTRAINT "axes_accessattempt_failures_since_start_check" CHECK ((failures_since_start >= 0)),
    CONSTRAINT "axes_accessattempt_pkey" PRIMARY KEY (id),
    CONSTRAINT "axes_accessattempt_username_ip_address_user_agent_8ea22282_uniq" UNIQUE (username, ip_address, user_agent)
);
CREATE INDEX axes_accessattempt_ip_address_10922d9c ON axes_accessattempt USING btree (ip_address);
CREATE INDEX axes_accessattempt_user_agent_ad89678b ON axes_accessattempt USING btree (user_agent);
CREATE INDEX axes_accessattempt_user_agent_ad89678b_like ON axes_accessattempt USING btree (user_agent varchar_pattern_ops);
CREATE INDEX axes_accessattempt_username_3f2d4ca0 ON axes_accessattempt USING btree (username);
CREATE INDEX axes_accessattempt_username_3f2d4ca0_like ON axes_accessattempt USING btree (username varchar_pattern_ops);

CREATE TABLE "axes_accessattemptexpiration" (
    "access_attempt_id" integer NOT NULL,
    "expires_at" timestamp with time zone NOT NULL,
    CONSTRAINT "axes_accessattemptexpiration_pkey" PRIMARY KEY (access_attempt_id)
);

CREATE TABLE "axes_accessfailurelog" (
    "id" integer GENERATED BY DEFAULT AS IDENTITY NOT NULL,
    "user_agent" character varying(255) NOT NULL,
    "ip_address" inet,
    "username" character varying(255),
    "http_accept" character varying(1025) NOT NULL,
    "path_info" character varying(255) NOT NULL,
    "attempt_time" timestamp with time zone NOT NULL,
    "locked_out" boolean NOT NULL,
    CONSTRAINT "axes_accessfailurelog_pkey" PRIMARY KEY (id)
);
CREATE INDEX axes_accessfailurelog_ip_address_2e9f5a7f ON axes_accessfailurelog USING btree (ip_address);
CREATE INDEX axes_accessfailurelog_user_agent_ea145dda ON axes_accessfailurelog USING btree (user_agent);
CREATE INDEX axes_accessfailurelog_user_agent_ea145dda_like ON axes_accessfailurelog USING btree (user_agent varchar_pattern_ops);
CREATE INDEX axes_accessfailurelog_username_a8b7e8a4 ON axes_accessfailurelog USING btree (username);
CREATE INDEX axes_accessfailurelog_username_a8b7e8a4_like ON axes_accessfailurelog USING btree (username varchar_pattern_ops);

CREATE TABLE "axes_accesslog" (
    "id" integer GENERATED BY DEFAULT AS IDENTITY NOT NULL,
    "user_agent" character varying(255) NOT NULL,
    "ip_address" inet,
    "username" character varying(255),
    "http_accept" character varying(1025) NOT NULL,
    "path_info" character varying(255) NOT NULL,
    "attempt_time" timestamp with time zone NOT NULL,
    "logout_time" timestamp with time zone,
    "session_hash" character varying(64) NOT NULL,
    CONSTRAINT "axes_accesslog_pkey" PRIMARY KEY (id)
);
CREATE INDEX axes_accesslog_ip_address_86b417e5 ON axes_accesslog USING btree (ip_address);
CREATE INDEX axes_accesslog_user_agent_0e659004 ON axes_accesslog USING btree (user_agent);
CREATE INDEX axes_accesslog_user_agent_0e659004_like ON axes_accesslog USING btree (user_agent varchar_pattern_ops);
CREATE INDEX axes_accesslog_username_df93064b ON axes_accesslog USING btree (username);
CREATE INDEX axes_accesslog_username_df93064b_like ON axes_accesslog USING btree (username varchar_pattern_ops);

CREATE TABLE "booking_channels" (
    "id" integer GENERATED BY DEFAULT AS IDENTITY NOT NULL,
    "name" character varying(100) NOT NULL,
    "code" character varying(20) NOT NULL,
    "description" text,
    "channel_type" character varying(50) NOT NULL,
    "api_url" character varying(255),
    "api_key" character varying(255),
    "api_secret" character varying(255),
    "webhook_url" character varying(255),
    "is_enabled" boolean,
    "auto_confirm" boolean,
    "sync_enabled" boolean,
    "sync_interval_minutes" integer,
    "commission_percentage" numeric(5,2),
    "commission_fixed_amount" numeric(12,2),
    "support_contact" character varying(255),
    "support_email" character varying(100),
    "created_at" timestamp with time zone,
    "updated_at" timestamp with time zone,
    CONSTRAINT "booking_channels_code_key" UNIQUE (code),
    CONSTRAINT "booking_channels_name_key" UNIQUE (name),
    CONSTRAINT "booking_channels_pkey" PRIMARY KEY (id)
);
CREATE INDEX booking_channels_code_610cd09d_like ON booking_channels USING btree (code varchar_pattern_ops);
CREATE INDEX booking_channels_name_3ff21772_like ON booking_channels USING btree (name varchar_pattern_ops);

CREATE TABLE "business_day_events" (
    "id" integer GENERATED BY DEFAULT AS IDENTITY NOT NULL,
    "what" character varying(30) NOT NULL,
    "at" timestamp with time zone,
    "business_date" date NOT NULL,
    "changes" jsonb,
    "reason" text,
    "evidence" character varying(20) DEFAULT 'recorded'::character varying NOT NULL,
    "by_id" integer,
    "business_day_id" integer NOT NULL,
    CONSTRAINT "business_day_events_evidence_known" CHECK (((evidence)::text = ANY ((ARRAY['recorded'::character varying, 'legacy_column'::character varying, 'admin_log'::character varying])::text[]))),
    CONSTRAINT "business_day_events_pkey" PRIMARY KEY (id)
);
CREATE INDEX business_day_events_business_day_id_2afbe8d9 ON business_day_events USING btree (business_day_id);
CREATE INDEX business_day_events_by_id_3dddbeef ON business_day_events USING btree (by_id);
CREATE TRIGGER business_day_events_append_only BEFORE DELETE OR UPDATE ON business_day_events FOR EACH ROW EXECUTE FUNCTION migrator_append_only();

CREATE TABLE "business_days" (
    "id" integer GENERATED BY DEFAULT AS IDENTITY NOT NULL,
    "day" date NOT NULL,
    "closed_at" timestamp with time zone,
    "closed_by_id" integer,
    "reopened_at" timestamp with time zone,
    "reopened_by_id" integer,
    "reopen_reason" text,
    CONSTRAINT "business_days_closed_or_reopened" CHECK ((((closed_at IS NOT NULL) AND (closed_by_id IS NOT NULL) AND (reopen_reason IS NULL) AND (reopened_at IS NULL) AND (reopened_by_id IS NULL)) OR ((closed_at IS NULL) AND (closed_by_id IS NULL) AND (reopen_reason IS NOT NULL) AND (reopened_at IS NOT NULL) AND (reopened_by_id IS NOT NULL)))),
    CONSTRAINT "business_days_day_key" UNIQUE (day),
    CONSTRAINT "business_days_pkey" PRIMARY KEY (id)
);
CREATE INDEX business_days_closed_by_id_dc048690 ON business_days USING btree (closed_by_id);
CREATE INDEX business_days_reopened_by_id_e0669992 ON business_days USING btree (reopened_by_id);
CREATE TRIGGER business_days_closed_in_order BEFORE INSERT OR DELETE OR UPDATE ON business_days FOR EACH ROW EXECUTE FUNCTION migrator_closable('day', 'closed_at', 'reopen_reason');

CREATE TABLE "charge_events" (
    "id" integer GENERATED BY DEFAULT AS IDENTITY NOT NULL,
    "what" character varying(30) NOT NULL,
    "at" timestamp with time zone,
    "business_date" date NOT NULL,
    "changes" jsonb,
    "reason" text,
    "evidence" character varying(20) DEFAULT 'recorded'::character varying NOT NULL,
    "by_id" integer,
    "charge_id" integer NOT NULL,
    CONSTRAINT "charge_events_evidence_known" CHECK (((evidence)::text = ANY ((ARRAY['recorded'::character varying, 'legacy_column'::character varying, 'admin_log'::character varying])::text[]))),
    CONSTRAINT "charge_events_pkey" PRIMARY KEY (id)
);
CREATE INDEX charge_events_by_id_f5abf2f4 ON charge_events USING btree (by_id);
CREATE INDEX charge_events_charge_id_0b3f4924 ON charge_events USING btree (charge_id);
CREATE TRIGGER charge_events_append_only BEFORE DELETE OR UPDATE ON charge_events FOR EACH ROW EXECUTE FUNCTION migrator_append_only();

CREATE TABLE "charges" (
    "id" integer GENERATED BY DEFAULT AS IDENTITY NOT NULL,
    "kind" character varying(20) NOT NULL,
    "business_date" date NOT NULL,
    "amount" numeric(14,2) NOT NULL,
    "tax_rate" numeric(5,2) DEFAULT 0 NOT NULL,
    "tax" numeric(14,2) DEFAULT 0 NOT NULL,
    "currency" character varying(3) DEFAULT 'IDR'::character varying NOT NULL,
    "notes" text,
    "created_at" timestamp with time zone,
    "is_voided" boolean DEFAULT false NOT NULL,
    "voided_at" timestamp with time zone,
    "void_reason" text,
    "idempotency_key" character varying(64),
    "created_by" integer,
    "reservation_id" integer NOT NULL,
    "voided_by" integer,
    CONSTRAINT "charges_amount_positive" CHECK (((amount > (0)::numeric) AND (amount <= 9999999999.99))),
    CONSTRAINT "charges_asked_for_once" UNIQUE (idempotency_key),
    CONSTRAINT "charges_currency_is_code" CHECK ((((currency)::text COLLATE "C") ~ '^[A-Z][A-Z][A-Z]$'::text)),
    CONSTRAINT "charges_kind_known" CHECK (((kind)::text = ANY ((ARRAY['room'::character varying, 'cancellation'::character varying, 'no_show'::character varying, 'minibar'::character varying, 'laundry'::character varying, 'late_check_out'::character varying, 'other'::character varying])::text[]))),
    CONSTRAINT "charges_pkey" PRIMARY KEY (id),
    CONSTRAINT "charges_tax_in_range" CHECK (((tax >= (0)::numeric) AND (tax <= amount) AND ((tax_rate >= (0)::numeric) AND (tax_rate <= (100)::numeric)))),
    CONSTRAINT "charges_void_has_time" CHECK (((NOT is_voided) OR (voided_at IS NOT NULL)))
);
CREATE INDEX charges_created_by_22b53170 ON charges USING btree (created_by);
CREATE INDEX charges_reservation_id_20d0c942 ON charges USING btree (reservation_id);
CREATE INDEX charges_voided_by_3c28f458 ON charges USING btree (voided_by);
CREATE TRIGGER charges_frozen BEFORE DELETE OR UPDATE ON charges FOR EACH ROW EXECUTE FUNCTION migrator_frozen('id', 'reservation_id', 'kind', 'business_date', 'amount', 'tax_rate', 'tax', 'currency', 'notes', 'created_by', 'created_at', 'idempotency_key');

CREATE TABLE "daily_adjustments" (
    "id" integer GENERATED BY DEFAULT AS IDENTITY NOT NULL,
    "adjusted_on" date NOT NULL,
    "day" date NOT NULL,
    "room_type_id" integer NOT NULL,
    "rooms_sold" integer NOT NULL,
    "room_revenue" numeric(14,2) NOT NULL,
    "arrivals" integer NOT NULL,
    "departures" integer NOT NULL,
    "cancellations" integer NOT NULL,
    "no_shows" integer NOT NULL,
    CONSTRAINT "daily_adjustments_of_days_before" CHECK ((day < adjusted_on)),
    CONSTRAINT "daily_adjustments_once" UNIQUE (adjusted_on, day, room_type_id),
    CONSTRAINT "daily_adjustments_pkey" PRIMARY KEY (id)
);
CREATE INDEX daily_adjustments_room_type_id_e8c310ec ON daily_adjustments USING btree (room_type_id);
CREATE TRIGGER daily_adjustments_of_closed_days BEFORE INSERT OR DELETE OR UPDATE ON daily_adjustments FOR EACH ROW EXECUTE FUNCTION migrator_sealed('business_days', 'day', 'closed_at', 'adjusted_on');

CREATE TABLE "daily_metrics" (
    "id" integer GENERATED BY DEFAULT AS IDENTITY NOT NULL,
    "day" date NOT NULL,
    "room_type_id" integer NOT NULL,
    "rooms" integer NOT NULL,
    "rooms_out_of_order" integer NOT NULL,
    "rooms_sold" integer NOT NULL,
    "room_revenue" numeric(14,2) NOT NULL,
    "arrivals" integer NOT NULL,
    "departures" integer NOT NULL,
    "cancellations" integer NOT NULL,
    "no_shows" integer NOT NULL,
    "computed_at" timestamp with time zone NOT NULL,
    CONSTRAINT "daily_metrics_counts_not_negative" CHECK (((arrivals >= 0) AND (cancellations >= 0) AND (departures >= 0) AND (no_shows >= 0) AND (rooms >= 0) AND (rooms_out_of_order >= 0) AND (rooms_sold >= 0))),
    CONSTRAINT "daily_metrics_day_and_type_once" UNIQUE (day, room_type_id),
    CONSTRAINT "daily_metrics_out_of_order_within_rooms" CHECK ((rooms_out_of_order <= rooms)),
    CONSTRAINT "daily_metrics_pkey" PRIMARY KEY (id),
    CONSTRAINT "daily_metrics_revenue_not_negative" CHECK ((room_revenue >= (0)::numeric))
);
CREATE INDEX daily_metrics_room_type_id_8550615a ON daily_metrics USING btree (room_type_id);
CREATE TRIGGER daily_metrics_of_closed_days BEFORE INSERT OR DELETE OR UPDATE ON daily_metrics FOR EACH ROW EXECUTE FUNCTION migrator_sealed('business_days', 'day', 'closed_at', 'day');

CREATE TABLE "deposit_movements" (
    "id" integer GENERATED BY DEFAULT AS IDENTITY NOT NULL,
    "reservation_id" integer NOT NULL,
    "kind" character varying(20) NOT NULL,
    "amount" numeric(14,2) NOT NULL,
    "currency" character varying(3) DEFAULT 'IDR'::character varying NOT NULL,
    "payment_id" integer,
    "occurred_at" timestamp with time zone,
    "business_date" date NOT NULL,
    "created_by" integer,
    "reason" text,
    "idempotency_key" character varying(64),
    "evidence" character varying(20) NOT NULL,
    CONSTRAINT "deposit_movements_amount_positive" CHECK (((amount > (0)::numeric) OR (((kind)::text = 'corrected'::text) AND (NOT (amount = (0)::numeric))))),
    CONSTRAINT "deposit_movements_asked_for_once" UNIQUE (idempotency_key),
    CONSTRAINT "deposit_movements_currency_is_code" CHECK ((((currency)::text COLLATE "C") ~ '^[A-Z][A-Z][A-Z]$'::text)),
    CONSTRAINT "deposit_movements_evidence_known" CHECK (((evidence)::text = ANY ((ARRAY['recorded'::character varying, 'payment'::character varying, 'legacy_column'::character varying, 'assumed'::character varying])::text[]))),
    CONSTRAINT "deposit_movements_kind_known" CHECK (((kind)::text = ANY ((ARRAY['collected'::character varying, 'applied'::character varying, 'unapplied'::character varying, 'refunded'::character varying, 'forfeited'::character varying, 'corrected'::character varying])::text[]))),
    CONSTRAINT "deposit_movements_pkey" PRIMARY KEY (id)
);
CREATE INDEX deposit_movements_created_by_2791a2e4 ON deposit_movements USING btree (created_by);
CREATE INDEX deposit_movements_payment_id_4cbd441a ON deposit_movements USING btree (payment_id);
CREATE INDEX deposit_movements_reservation_id_f7ec9095 ON deposit_movements USING btree (reservation_id);
CREATE TRIGGER deposit_movements_append_only BEFORE DELETE OR UPDATE ON deposit_movements FOR EACH ROW EXECUTE FUNCTION migrator_append_only();

CREATE TABLE "discounts" (
    "id" integer GENERATED BY DEFAULT AS IDENTITY NOT NULL,
    "name" character varying(100) NOT NULL,
    "code" character varying(20),
    "description" text,
    "discount_type" character varying(20) NOT NULL,
    "discount_value" numeric(12,2) NOT NULL,
    "max_discount_amount" numeric(12,2),
    "applicable_room_types" text,
    "applicable_guests" text,
    "valid_from" date,
    "valid_until" date,
    "usage_limit" integer,
    "usage_count" integer,
    "min_stay_nights" integer,
    "min_booking_amount" numeric(12,2),
    "max_bookings_per_guest" integer,
    "status" character varying(20),
    "is_auto_applied" boolean,
    "created_at" timestamp with time zone,
    "updated_at" timestamp with time zone,
    "created_by" integer,
    CONSTRAINT "discounts_code_key" UNIQUE (code),
    CONSTRAINT "discounts_pkey" PRIMARY KEY (id)
);
CREATE INDEX discounts_code_af62282d_like ON discounts USING btree (code varchar_pattern_ops);
CREATE INDEX discounts_created_by_fd703cd7 ON discounts USING btree (created_by);

CREATE TABLE "django_admin_log" (
    "id" integer GENERATED BY DEFAULT AS IDENTITY NOT NULL,
    "action_time" timestamp with time zone NOT NULL,
    "object_id" text,
    "object_repr" character varying(200) NOT NULL,
    "action_flag" smallint NOT NULL,
    "change_message" text NOT NULL,
    "content_type_id" integer,
    "user_id" integer NOT NULL,
    CONSTRAINT "django_admin_log_action_flag_check" CHECK ((action_flag >= 0)),
    CONSTRAINT "django_admin_log_pkey" PRIMARY KEY (id)
);
CREATE INDEX django_admin_log_content_type_id_c4bce8eb ON django_admin_log USING btree (content_type_id);
CREATE INDEX django_admin_log_user_id_c564eba6 ON django_admin_log USING btree (user_id);

CREATE TABLE "django_content_type" (
    "id" integer GENERATED BY DEFAULT AS IDENTITY NOT NULL,
    "app_label" character varying(100) NOT NULL,
    "model" character varying(100) NOT NULL,
    CONSTRAINT "django_content_type_app_label_model_76bd3d3b_uniq" UNIQUE (app_label, model),
    CONSTRAINT "django_content_type_pkey" PRIMARY KEY (id)
);

CREATE TABLE "django_migrations" (
    "id" integer GENERATED BY DEFAULT AS IDENTITY NOT NULL,
    "app" character varying(255) NOT NULL,
    "name" character varying(255) NOT NULL,
    "applied" timestamp with time zone NOT NULL,
    CONSTRAINT "django_migrations_pkey" PRIMARY KEY (id)
);

CREATE TABLE "django_session" (
    "session_key" character varying(40) NOT NULL,
    "session_data" text NOT NULL,
    "expire_date" timestamp with time zone NOT NULL,
    CONSTRAINT "django_session_pkey" PRIMARY KEY (session_key)
);
CREATE INDEX django_session_expire_date_a5c62663 ON django_session USING btree (expire_date);
CREATE INDEX django_session_session_key_c0390e0f_like ON django_session USING btree (session_key varchar_pattern_ops);

CREATE TABLE "expenses" (
    "id" integer GENERATED BY DEFAULT AS IDENTITY NOT NULL,
    "date" timestamp with time zone NOT NULL,
    "category" character varying(50) NOT NULL,
    "amount" numeric(12,2) NOT NULL,
    "description" text,
    "receipt_url" character varying(500),
    "created_at" timestamp with time zone,
    "updated_at" timestamp with time zone,
    "currency" character varying(3) DEFAULT 'IDR'::character varying NOT NULL,
    CONSTRAINT "expenses_currency_is_code" CHECK ((((currency)::text COLLATE "C") ~ '^[A-Z][A-Z][A-Z]$'::text)),
    CONSTRAINT "expenses_pkey" PRIMARY KEY (id)
);

CREATE TABLE "guest_images" (
    "id" integer GENERATED BY DEFAULT AS IDENTITY NOT NULL,
    "image_type" character varying(50) NOT NULL,
    "file_path" character varying(500) NOT NULL,
    "file_name" character varying(255) NOT NULL,
    "file_size" integer,
    "mime_type" character varying(100),
    "created_at" timestamp with time zone,
    "guest_id" integer NOT NULL,
    "uploaded_by_user_id" integer,
    CONSTRAINT "guest_images_pkey" PRIMARY KEY (id)
);
CREATE INDEX guest_images_guest_id_f6a0801a ON guest_images USING btree (guest_id);
CREATE INDEX guest_images_uploaded_by_user_id_d81ffafa ON guest_images USING btree (uploaded_by_user_id);

CREATE TABLE "guest_merges" (
    "id" integer GENERATED BY DEFAULT AS IDENTITY NOT NULL,
    "merged_key" integer NOT NULL,
    "merged_name" character varying(100) NOT NULL,
    "original" jsonb NOT NULL,
    "moved" jsonb NOT NULL,
    "filled" jsonb NOT NULL,
    "at" timestamp with time zone NOT NULL,
    "reason" text NOT NULL,
    "undone_at" timestamp with time zone,
    "by_id" integer NOT NULL,
    "guest_id" integer NOT NULL,
    "undone_by_id" integer,
    CONSTRAINT "guest_merges_pkey" PRIMARY KEY (id)
);
CREATE INDEX guest_merges_by_id_2f45067d ON guest_merges USING btree (by_id);
CREATE INDEX guest_merges_guest_id_a3b67208 ON guest_merges USING btree (guest_id);
CREATE INDEX guest_merges_undone_by_id_b8f7c307 ON guest_merges USING btree (undone_by_id);

CREATE TABLE "guests" (
    "id" integer GENERATED BY DEFAULT AS IDENTITY NOT NULL,
    "full_name" character varying(100) NOT NULL,
    "email" character varying(100),
    "phone" character varying(20),
    "phone_country_code" character varying(5),
    "id_type" character varying(50),
    "id_number" character varying(50),
    "nationality" character varying(50),
    "birth_date" date,
    "notes" text,
    "is_vip" boolean,
    "created_at" timestamp with time zone,
    "updated_at" timestamp with time zone,
    "preferred_room_type_id" integer,
    "search_key" text DEFAULT ''::text NOT NULL,
    CONSTRAINT "guests_pkey" PRIMARY KEY (id)
);
CREATE INDEX guests_by_name_idx ON guests USING btree (full_name, id);
CREATE INDEX guests_key_part_idx ON guests USING gin (upper(search_key) gin_trgm_ops) WITH (gin_pending_list_limit='256');
CREATE INDEX guests_preferred_room_type_id_913ee5d5 ON guests USING btree (preferred_room_type_id);

CREATE TABLE "migrator_archive" (
    "id" bigint GENERATED BY DEFAULT AS IDENTITY NOT NULL,
    "owner" character varying(255) NOT NULL,
    "table_name" character varying(63) NOT NULL,
    "column_name" character varying(63) NOT NULL,
    "row_key" character varying(255) NOT NULL,
    "original" text,
    "became" text,
    "archived_at" timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    CONSTRAINT "migrator_archive_once" UNIQUE (owner, table_name, column_name, row_key),
    CONSTRAINT "migrator_archive_pkey" PRIMARY KEY (id)
);

CREATE TABLE "migrator_cursor" (
    "id" integer GENERATED BY DEFAULT AS IDENTITY NOT NULL,
    "owner" character varying(255) NOT NULL,
    "last_key" character varying(255) NOT NULL,
    "rows_read" bigint NOT NULL,
    "rows_changed" bigint NOT NULL,
    "rows_archived" bigint NOT NULL,
    CONSTRAINT "migrator_cursor_owner_key" UNIQUE (owner),
    CONSTRAINT "migrator_cursor_pkey" PRIMARY KEY (id)
);
CREATE INDEX migrator_cursor_owner_c072096e_like ON migrator_cursor USING btree (owner varchar_pattern_ops);

CREATE TABLE "migrator_journal" (
    "id" bigint GENERATED BY DEFAULT AS IDENTITY NOT NULL,
    "run" uuid NOT NULL,
    "event" character varying(10) NOT NULL,
    "app" character varying(255) NOT NULL,
    "name" character varying(255) NOT NULL,
    "direction" character varying(10) NOT NULL,
    "is_fake" boolean NOT NULL,
    "operation" integer,
    "checksum" character varying(64) NOT NULL,
    "seconds" double precision,
    "rows" bigint,
    "error" text,
    "remark" text,
    "actor" character varying(255) NOT NULL,
    "host" character varying(255) NOT NULL,
    "process" integer NOT NULL,
    "code_version" character varying(255) NOT NULL,
    "at" timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    CONSTRAINT "migrator_journal_pkey" PRIMARY KEY (id)
);
CREATE INDEX migrator_journal_migration ON migrator_journal USING btree (app, name);
CREATE TRIGGER migrator_journal_append_only BEFORE DELETE OR UPDATE ON migrator_journal FOR EACH ROW EXECUTE FUNCTION migrator_append_only();

CREATE TABLE "payment_attachments" (
    "id" integer GENERATED BY DEFAULT AS IDENTITY NOT NULL,
    "file_name" character varying(255) NOT NULL,
    "file_type" character varying(20) NOT NULL,
    "file_path" character varying(500) NOT NULL,
    "storage_location" character varying(50) NOT NULL,
    "file_size_bytes" integer,
    "mime_type" character varying(100),
    "original_filename" character varying(255),
    "description" text,
    "is_verified" boolean,
    "verified_at" timestamp with time zone,
    "created_at" timestamp with time zone,
    "updated_at" timestamp with time zone,
    "payment_id" integer NOT NULL,
    "uploaded_by" integer,
    "verified_by" integer,
    CONSTRAINT "payment_attachments_pkey" PRIMARY KEY (id)
);
CREATE INDEX payment_attachments_payment_id_02dcb773 ON payment_attachments USING btree (payment_id);
CREATE INDEX payment_attachments_uploaded_by_a447eeca ON payment_attachments USING btree (uploaded_by);
CREATE INDEX payment_attachments_verified_by_66af5066 ON payment_attachments USING btree (verified_by);

CREATE TABLE "payment_events" (
    "id" integer GENERATED BY DEFAULT AS IDENTITY NOT NULL,
    "what" character varying(30) NOT NULL,
    "at" timestamp with time zone,
    "business_date" date NOT NULL,
    "changes" jsonb,
    "reason" text,
    "evidence" character varying(20) DEFAULT 'recorded'::character varying NOT NULL,
    "by_id" integer,
    "payment_id" integer NOT NULL,
    CONSTRAINT "payment_events_evidence_known" CHECK (((evidence)::text = ANY ((ARRAY['recorded'::character varying, 'legacy_column'::character varying, 'admin_log'::character varying])::text[]))),
    CONSTRAINT "payment_events_pkey" PRIMARY KEY (id)
);
CREATE INDEX payment_events_by_id_241779d0 ON payment_events USING btree (by_id);
CREATE INDEX payment_events_payment_id_ecc781a6 ON payment_events USING btree (payment_id);
CREATE TRIGGER payment_events_append_only BEFORE DELETE OR UPDATE ON payment_events FOR EACH ROW EXECUTE FUNCTION migrator_append_only();

CREATE TABLE "payments" (
    "id" integer GENERATED BY DEFAULT AS IDENTITY NOT NULL,
    "payment_date" date NOT NULL,
    "amount" numeric(12,2) NOT NULL,
    "payment_method" character varying(20) NOT NULL,
    "reference_number" character varying(100),
    "transaction_id" character varying(100),
    "notes" text,
    "is_refund" boolean,
    "refund_reason" text,
    "is_voided" boolean,
    "has_proof" boolean,
    "created_at" timestamp with time zone,
    "updated_at" timestamp with time zone,
    "created_by" integer,
    "reservation_id" integer NOT NULL,
    "payment_type" character varying(20) DEFAULT 'full'::character varying NOT NULL,
    "exemptions" jsonb,
    "voided_at" timestamp with time zone,
    "voided_by" integer,
    "void_reason" text,
    "refund_of_id" integer,
    "idempotency_key" character varying(64),
    "currency" character varying(3) DEFAULT 'IDR'::character varying NOT NULL,
    CONSTRAINT "payments_amount_not_zero" CHECK (((((amount >= '-9999999999.99'::numeric) AND (amount <= 9999999999.99)) AND (NOT (amount = (0)::numeric))) OR ((exemptions -> 'payments_amount_not_zero'::text) IS NOT NULL))),
    CONSTRAINT "payments_amount_positive" CHECK (((amount > (0)::numeric) OR ((payment_type)::text = 'adjustment'::text) OR ((exemptions -> 'payments_amount_positive'::text) IS NOT NULL))),
    CONSTRAINT "payments_asked_for_once" UNIQUE (idempotency_key),
    CONSTRAINT "payments_currency_is_code" CHECK (((((currency)::text COLLATE "C") ~ '^[A-Z][A-Z][A-Z]$'::text) OR ((exemptions -> 'payments_currency_is_code'::text) IS NOT NULL))),
    CONSTRAINT "payments_method_known" CHECK ((((payment_method)::text = ANY ((ARRAY['cash'::character varying, 'credit_card'::character varying, 'debit_card'::character varying, 'bank_transfer'::character varying, 'e_wallet'::character varying, 'other'::character varying])::text[])) OR ((exemptions -> 'payments_method_known'::text) IS NOT NULL))),
    CONSTRAINT "payments_only_refunds_give_back" CHECK (((refund_of_id IS NULL) OR is_refund OR ((exemptions -> 'payments_only_refunds_give_back'::text) IS NOT NULL))),
    CONSTRAINT "payments_pkey" PRIMARY KEY (id),
    CONSTRAINT "payments_refund_has_reason" CHECK (((NOT is_refund) OR ((refund_reason IS NOT NULL) AND (NOT ((refund_reason = ''::text) AND (refund_reason IS NOT NULL)))) OR ((exemptions -> 'payments_refund_has_reason'::text) IS NOT NULL))),
    CONSTRAINT "payments_type_known" CHECK ((((payment_type)::text = ANY ((ARRAY['full'::character varying, 'downpayment'::character varying, 'deposit'::character varying, 'adjustment'::character varying])::text[])) OR ((exemptions -> 'payments_type_known'::text) IS NOT NULL))),
    CONSTRAINT "payments_void_has_time" CHECK (((is_voided IS NULL) OR (NOT is_voided) OR (voided_at IS NOT NULL) OR ((exemptions -> 'payments_void_has_time'::text) IS NOT NULL)))
);
CREATE INDEX payments_created_by_632996c5 ON payments USING btree (created_by);
CREATE INDEX payments_exempt_idx ON payments USING btree (id) WHERE (exemptions IS NOT NULL);
CREATE INDEX payments_newest_idx ON payments USING btree (payment_date DESC, id DESC);
CREATE INDEX payments_reference_part_idx ON payments USING gin (upper((reference_number)::text) gin_trgm_ops) WITH (gin_pending_list_limit='256');
CREATE INDEX payments_refund_of_id_921af943 ON payments USING btree (refund_of_id);
CREATE INDEX payments_reservation_id_4f393c4b ON payments USING btree (reservation_id);
CREATE INDEX payments_transaction_part_idx ON payments USING gin (upper((transaction_id)::text) gin_trgm_ops) WITH (gin_pending_list_limit='256');
CREATE INDEX payments_voided_by_dea9f4b2 ON payments USING btree (voided_by);
CREATE TRIGGER payments_amount_not_zero_exempt BEFORE INSERT OR UPDATE ON payments FOR EACH ROW WHEN ((new.exemptions IS NOT NULL)) EXECUTE FUNCTION migrator_end_exemption('payments_amount_not_zero', 'amount');
CREATE TRIGGER payments_amount_positive_exempt BEFORE INSERT OR UPDATE ON payments FOR EACH ROW WHEN ((new.exemptions IS NOT NULL)) EXECUTE FUNCTION migrator_end_exemption('payments_amount_positive', 'amount', 'payment_type');
CREATE TRIGGER payments_currency_is_code_exempt BEFORE INSERT OR UPDATE ON payments FOR EACH ROW WHEN ((new.exemptions IS NOT NULL)) EXECUTE FUNCTION migrator_end_exemption('payments_currency_is_code', 'currency');
CREATE TRIGGER payments_frozen BEFORE DELETE OR UPDATE ON payments FOR EACH ROW EXECUTE FUNCTION migrator_frozen('id', 'reservation_id', 'payment_date', 'amount', 'currency', 'is_refund', 'refund_of_id');
CREATE TRIGGER payments_method_known_exempt BEFORE INSERT OR UPDATE ON payments FOR EACH ROW WHEN ((new.exemptions IS NOT NULL)) EXECUTE FUNCTION migrator_end_exemption('payments_method_known', 'payment_method');
CREATE TRIGGER payments_of_closed_days BEFORE INSERT OR DELETE OR UPDATE ON payments FOR EACH ROW EXECUTE FUNCTION migrator_sealed('business_days', 'day', 'closed_at', 'payment_date', 'payment_method', 'payment_type', 'is_voided');
CREATE TRIGGER payments_only_refunds_give_back_exempt BEFORE INSERT OR UPDATE ON payments FOR EACH ROW WHEN ((new.exemptions IS NOT NULL)) EXECUTE FUNCTION migrator_end_exemption('payments_only_refunds_give_back', 'is_refund', 'refund_of_id');
CREATE TRIGGER payments_refund_has_reason_exempt BEFORE INSERT OR UPDATE ON payments FOR EACH ROW WHEN ((new.exemptions IS NOT NULL)) EXECUTE FUNCTION migrator_end_exemption('payments_refund_has_reason', 'is_refund', 'refund_reason');
CREATE TRIGGER payments_type_known_exempt BEFORE INSERT OR UPDATE ON payments FOR EACH ROW WHEN ((new.exemptions IS NOT NULL)) EXECUTE FUNCTION migrator_end_exemption('payments_type_known', 'payment_type');
CREATE TRIGGER payments_void_has_time_exempt BEFORE INSERT OR UPDATE ON payments FOR EACH ROW WHEN ((new.exemptions IS NOT NULL)) EXECUTE FUNCTION migrator_end_exemption('payments_void_has_time', 'is_voided', 'voided_at');

CREATE TABLE "permission_grants" (
    "id" integer GENERATED BY DEFAULT AS IDENTITY NOT NULL,
    "group_id" integer NOT NULL,
    "permission_id" integer NOT NULL,
    CONSTRAINT "permission_granted_once" UNIQUE (group_id, permission_id),
    CONSTRAINT "permission_grants_pkey" PRIMARY KEY (id)
);
CREATE INDEX permission_grants_group_id_3db581f8 ON permission_grants USING btree (group_id);
CREATE INDEX permission_grants_permission_id_3f683cdf ON permission_grants USING btree (permission_id);

CREATE TABLE "reservation_events" (
    "id" integer GENERATED BY DEFAULT AS IDENTITY NOT NULL,
    "what" character varying(30) NOT NULL,
    "at" timestamp with time zone,
    "business_date" date NOT NULL,
    "changes" jsonb,
    "reason" text,
    "evidence" character varying(20) DEFAULT 'recorded'::character varying NOT NULL,
    "by_id" integer,
    "reservation_id" integer NOT NULL,
    CONSTRAINT "reservation_events_evidence_known" CHECK (((evidence)::text = ANY ((ARRAY['recorded'::character varying, 'legacy_column'::character varying, 'admin_log'::character varying])::text[]))),
    CONSTRAINT "reservation_events_pkey" PRIMARY KEY (id)
);
CREATE INDEX reservation_events_by_id_51ec573d ON reservation_events USING btree (by_id);
CREATE INDEX reservation_events_reservation_id_ea58f1fc ON reservation_events USING btree (reservation_id);
CREATE TRIGGER reservation_events_append_only BEFORE DELETE OR UPDATE ON reservation_events FOR EACH ROW EXECUTE FUNCTION migrator_append_only();

CREATE TABLE "reservations" (
    "id" integer GENERATED BY DEFAULT AS IDENTITY NOT NULL,
    "confirmation_number" character varying(20) NOT NULL,
    "check_in_date" date NOT NULL,
    "check_out_date" date NOT NULL,
    "adults" integer,
    "children" integer,
    "rate_per_night" numeric(12,2) NOT NULL,
    "subtotal" numeric(12,2) NOT NULL,
    "discount_amount" numeric(12,2),
    "total_amount" numeric(12,2) NOT NULL,
    "special_requests" text,
    "booking_source" character varying(50),
    "checked_in_at" timestamp with time zone,
    "receptionist_name" character varying(100),
    "checked_out_at" timestamp with time zone,
    "is_archived" boolean,
    "created_at" timestamp with time zone,
    "updated_at" timestamp with time zone,
    "booking_channel_id" integer,
    "created_by" integer NOT NULL,
    "discount_id" integer,
    "guest_id" integer NOT NULL,
    "room_id" integer,
    "room_type_id" integer NOT NULL,
    "checked_in_by" integer,
    "deposit_amount" numeric(12,2) DEFAULT 0 NOT NULL,
    "deposit_returned_at" timestamp with time zone,
    "status" character varying(20) DEFAULT 'confirmed'::character varying NOT NULL,
    "exemptions" jsonb,
    "number_of_nights" integer GENERATED ALWAYS AS ((check_out_date - check_in_date)) STORED,
    "cancelled_at" timestamp with time zone,
    "cancel_reason" text,
    "is_complimentary" boolean DEFAULT false NOT NULL,
    "deposit_held" numeric(14,2) DEFAULT 0 NOT NULL,
    "currency" character varying(3) DEFAULT 'IDR'::character varying NOT NULL,
    CONSTRAINT "reservations_adults_in_range" CHECK (((adults >= 1) OR ((exemptions -> 'reservations_adults_in_range'::text) IS NOT NULL))),
    CONSTRAINT "reservations_checked_out_has_time" CHECK (((NOT ((status)::text = 'checked_out'::text)) OR (checked_out_at IS NOT NULL) OR ((exemptions -> 'reservations_checked_out_has_time'::text) IS NOT NULL))),
    CONSTRAINT "reservations_children_in_range" CHECK (((children >= 0) OR ((exemptions -> 'reservations_children_in_range'::text) IS NOT NULL))),
    CONSTRAINT "reservations_confirmation_number_key" UNIQUE (confirmation_number),
    CONSTRAINT "reservations_currency_is_code" CHECK (((((currency)::text COLLATE "C") ~ '^[A-Z][A-Z][A-Z]$'::text) OR ((exemptions -> 'reservations_currency_is_code'::text) IS NOT NULL))),
    CONSTRAINT "reservations_dates_in_order" CHECK (((check_out_date > check_in_date) OR ((exemptions -> 'reservations_dates_in_order'::text) IS NOT NULL))),
    CONSTRAINT "reservations_deposit_held_in_range" CHECK ((((deposit_held >= (0)::numeric) AND (deposit_held <= 999999999999.99)) OR ((exemptions -> 'reservations_deposit_held_in_range'::text) IS NOT NULL))),
    CONSTRAINT "reservations_deposit_in_range" CHECK ((((deposit_amount >= (0)::numeric) AND (deposit_amount <= 9999999999.99)) OR ((exemptions -> 'reservations_deposit_in_range'::text) IS NOT NULL))),
    CONSTRAINT "reservations_discount_in_range" CHECK ((((discount_amount >= (0)::numeric) AND (discount_amount <= 9999999999.99)) OR ((exemptions -> 'reservations_discount_in_range'::text) IS NOT NULL))),
    CONSTRAINT "reservations_discount_within_subtotal" CHECK (((discount_amount <= subtotal) OR ((exemptions -> 'reservations_discount_within_subtotal'::text) IS NOT NULL))),
    CONSTRAINT "reservations_in_house_has_room" CHECK (((NOT ((status)::text = 'checked_in'::text)) OR ((checked_in_at IS NOT NULL) AND (room_id IS NOT NULL)) OR ((exemptions -> 'reservations_in_house_has_room'::text) IS NOT NULL))),
    CONSTRAINT "reservations_number_unique" EXCLUDE USING gist (lower(((confirmation_number)::text COLLATE "C")) WITH =, (
CASE
    WHEN ((exemptions -> 'reservations_number_unique'::text) IS NOT NULL) THEN '-9223372036854775808'::bigint
    ELSE (id)::bigint
END) WITH <>) DEFERRABLE,
    CONSTRAINT "reservations_one_stay_in_house" EXCLUDE USING gist (room_id WITH =, (
CASE
    WHEN ((exemptions -> 'reservations_one_stay_in_house'::text) IS NOT NULL) THEN '-9223372036854775808'::bigint
    ELSE (id)::bigint
END) WITH <>) WHERE (((room_id IS NOT NULL) AND ((status)::text = 'checked_in'::text))) DEFERRABLE,
    CONSTRAINT "reservations_pkey" PRIMARY KEY (id),
    CONSTRAINT "reservations_rate_in_range" CHECK ((((rate_per_night >= (0)::numeric) AND (rate_per_night <= 9999999999.99)) OR ((exemptions -> 'reservations_rate_in_range'::text) IS NOT NULL))),
    CONSTRAINT "reservations_status_known" CHECK ((((status)::text = ANY ((ARRAY['pending'::character varying, 'confirmed'::character varying, 'checked_in'::character varying, 'checked_out'::character varying, 'cancelled'::character varying, 'no_show'::character varying])::text[])) OR ((exemptions -> 'reservations_status_known'::text) IS NOT NULL))),
    CONSTRAINT "reservations_subtotal_in_range" CHECK ((((subtotal >= (0)::numeric) AND (subtotal <= 9999999999.99)) OR ((exemptions -> 'reservations_subtotal_in_range'::text) IS NOT NULL))),
    CONSTRAINT "reservations_total_in_range" CHECK ((((total_amount >= (0)::numeric) AND (total_amount <= 9999999999.99)) OR ((exemptions -> 'reservations_total_in_range'::text) IS NOT NULL)))
);
CREATE INDEX reservations_booking_channel_id_d12304d3 ON reservations USING btree (booking_channel_id);
CREATE INDEX reservations_checked_in_by_ddee9b99 ON reservations USING btree (checked_in_by);
CREATE INDEX reservations_confirmation_number_d9082a39_like ON reservations USING btree (confirmation_number varchar_pattern_ops);
CREATE INDEX reservations_created_by_8930e9e8 ON reservations USING btree (created_by);
CREATE INDEX reservations_dates_idx ON reservations USING btree (check_in_date, check_out_date);
CREATE INDEX reservations_departures_idx ON reservations USING btree (check_out_date) WHERE ((status)::text = 'checked_in'::text);
CREATE INDEX reservations_discount_id_cbd7dd38 ON reservations USING btree (discount_id);
CREATE INDEX reservations_exempt_idx ON reservations USING btree (id) WHERE (exemptions IS NOT NULL);
CREATE INDEX reservations_guest_id_337ff215 ON reservations USING btree (guest_id);
CREATE INDEX reservations_number_part_idx ON reservations USING gin (upper((confirmation_number)::text) gin_trgm_ops) WITH (gin_pending_list_limit='256');
CREATE INDEX reservations_of_room_idx ON reservations USING btree (room_id, check_out_date, check_in_date) WHERE ((status)::text = ANY ((ARRAY['pending'::character varying, 'confirmed'::character varying, 'checked_in'::character varying])::text[]));
CREATE INDEX reservations_of_type_idx ON reservations USING btree (room_type_id, check_out_date, check_in_date) WHERE ((status)::text = ANY ((ARRAY['pending'::character varying, 'confirmed'::character varying, 'checked_in'::character varying])::text[]));
CREATE INDEX reservations_room_id_b8923610 ON reservations USING btree (room_id);
CREATE INDEX reservations_room_type_id_46338413 ON reservations USING btree (room_type_id);
CREATE INDEX reservations_status_idx ON reservations USING btree (status, id DESC);
CREATE TRIGGER reservations_adults_in_range_exempt BEFORE INSERT OR UPDATE ON reservations FOR EACH ROW WHEN ((new.exemptions IS NOT NULL)) EXECUTE FUNCTION migrator_end_exemption('reservations_adults_in_range', 'adults');
CREATE TRIGGER reservations_checked_out_has_time_exempt BEFORE INSERT OR UPDATE ON reservations FOR EACH ROW WHEN ((new.exemptions IS NOT NULL)) EXECUTE FUNCTION migrator_end_exemption('reservations_checked_out_has_time', 'checked_out_at', 'status');
CREATE TRIGGER reservations_children_in_range_exempt BEFORE INSERT OR UPDATE ON reservations FOR EACH ROW WHEN ((new.exemptions IS NOT NULL)) EXECUTE FUNCTION migrator_end_exemption('reservations_children_in_range', 'children');
CREATE TRIGGER reservations_currency_is_code_exempt BEFORE INSERT OR UPDATE ON reservations FOR EACH ROW WHEN ((new.exemptions IS NOT NULL)) EXECUTE FUNCTION migrator_end_exemption('reservations_currency_is_code', 'currency');
CREATE TRIGGER reservations_dates_in_order_exempt BEFORE INSERT OR UPDATE ON reservations FOR EACH ROW WHEN ((new.exemptions IS NOT NULL)) EXECUTE FUNCTION migrator_end_exemption('reservations_dates_in_order', 'check_in_date', 'check_out_date');
CREATE TRIGGER reservations_deposit_held_in_range_exempt BEFORE INSERT OR UPDATE ON reservations FOR EACH ROW WHEN ((new.exemptions IS NOT NULL)) EXECUTE FUNCTION migrator_end_exemption('reservations_deposit_held_in_range', 'deposit_held');
CREATE TRIGGER reservations_deposit_in_range_exempt BEFORE INSERT OR UPDATE ON reservations FOR EACH ROW WHEN ((new.exemptions IS NOT NULL)) EXECUTE FUNCTION migrator_end_exemption('reservations_deposit_in_range', 'deposit_amount');
CREATE TRIGGER reservations_discount_in_range_exempt BEFORE INSERT OR UPDATE ON reservations FOR EACH ROW WHEN ((new.exemptions IS NOT NULL)) EXECUTE FUNCTION migrator_end_exemption('reservations_discount_in_range', 'discount_amount');
CREATE TRIGGER reservations_discount_within_subtotal_exempt BEFORE INSERT OR UPDATE ON reservations FOR EACH ROW WHEN ((new.exemptions IS NOT NULL)) EXECUTE FUNCTION migrator_end_exemption('reservations_discount_within_subtotal', 'discount_amount', 'subtotal');
CREATE TRIGGER reservations_have_parts AFTER INSERT OR DELETE OR UPDATE ON reservations FOR EACH ROW EXECUTE FUNCTION reservations_have_parts();
CREATE TRIGGER reservations_in_house_has_room_exempt BEFORE INSERT OR UPDATE ON reservations FOR EACH ROW WHEN ((new.exemptions IS NOT NULL)) EXECUTE FUNCTION migrator_end_exemption('reservations_in_house_has_room', 'checked_in_at', 'room_id', 'status');
CREATE TRIGGER reservations_number_unique_exempt BEFORE INSERT OR UPDATE ON reservations FOR EACH ROW WHEN ((new.exemptions IS NOT NULL)) EXECUTE FUNCTION migrator_end_exemption('reservations_number_unique', 'confirmation_number');
CREATE TRIGGER reservations_one_stay_in_house_exempt BEFORE INSERT OR UPDATE ON reservations FOR EACH ROW WHEN ((new.exemptions IS NOT NULL)) EXECUTE FUNCTION migrator_end_exemption('reservations_one_stay_in_house', 'room_id', 'status');
CREATE TRIGGER reservations_rate_in_range_exempt BEFORE INSERT OR UPDATE ON reservations FOR EACH ROW WHEN ((new.exemptions IS NOT NULL)) EXECUTE FUNCTION migrator_end_exemption('reservations_rate_in_range', 'rate_per_night');
CREATE TRIGGER reservations_status_known_exempt BEFORE INSERT OR UPDATE ON reservations FOR EACH ROW WHEN ((new.exemptions IS NOT NULL)) EXECUTE FUNCTION migrator_end_exemption('reservations_status_known', 'status');
CREATE TRIGGER reservations_subtotal_in_range_exempt BEFORE INSERT OR UPDATE ON reservations FOR EACH ROW WHEN ((new.exemptions IS NOT NULL)) EXECUTE FUNCTION migrator_end_exemption('reservations_subtotal_in_range', 'subtotal');
CREATE TRIGGER reservations_total_in_range_exempt BEFORE INSERT OR UPDATE ON reservations FOR EACH ROW WHEN ((new.exemptions IS NOT NULL)) EXECUTE FUNCTION migrator_end_exemption('reservations_total_in_range', 'total_amount');

CREATE TABLE "room_blocks" (
    "id" integer GENERATED BY DEFAULT AS IDENTITY NOT NULL,
    "room_id" integer NOT NULL,
    "kind" character varying(20) NOT NULL,
    "start_date" date NOT NULL,
    "end_date" date,
    "reason" text NOT NULL,
    "released_on" date,
    "created_by" integer,
    "created_at" timestamp with time zone NOT NULL,
    CONSTRAINT "room_blocks_dates_in_order" CHECK (((end_date IS NULL) OR (end_date > start_date))),
    CONSTRAINT "room_blocks_kind_known" CHECK (((kind)::text = ANY ((ARRAY['out_of_order'::character varying, 'out_of_service'::character varying, 'house_use'::character varying])::text[]))),
    CONSTRAINT "room_blocks_pkey" PRIMARY KEY (id)
);
CREATE INDEX room_blocks_created_by_2976d13d ON room_blocks USING btree (created_by);
CREATE INDEX room_blocks_room_id_246a09b1 ON room_blocks USING btree (room_id);

CREATE TABLE "room_events" (
    "id" integer GENERATED BY DEFAULT AS IDENTITY NOT NULL,
    "what" character varying(30) NOT NULL,
    "at" timestamp with time zone,
    "business_date" date NOT NULL,
    "changes" jsonb,
    "reason" text,
    "evidence" character varying(20) DEFAULT 'recorded'::character varying NOT NULL,
    "by_id" integer,
    "room_id" integer NOT NULL,
    CONSTRAINT "room_events_evidence_known" CHECK (((evidence)::text = ANY ((ARRAY['recorded'::character varying, 'legacy_column'::character varying, 'admin_log'::character varying])::text[]))),
    CONSTRAINT "room_events_pkey" PRIMARY KEY (id)
);
CREATE INDEX room_events_by_id_38b5846f ON room_events USING btree (by_id);
CREATE INDEX room_events_room_id_11e20f80 ON room_events USING btree (room_id);
CREATE TRIGGER room_events_append_only BEFORE DELETE OR UPDATE ON room_events FOR EACH ROW EXECUTE FUNCTION migrator_append_only();

CREATE TABLE "room_images" (
    "id" integer GENERATED BY DEFAULT AS IDENTITY NOT NULL,
    "image_name" character varying(255) NOT NULL,
    "image_type" character varying(20) NOT NULL,
    "image_path" character varying(500) NOT NULL,
    "storage_location" character varying(50) NOT NULL,
    "file_size_bytes" integer,
    "mime_type" character varying(100),
    "original_filename" character varying(255),
    "image_width" integer,
    "image_height" integer,
    "description" text,
    "display_order" integer,
    "is_active" boolean,
    "created_at" timestamp with time zone,
    "updated_at" timestamp with time zone,
    "room_id" integer NOT NULL,
    "uploaded_by" integer,
    CONSTRAINT "room_images_pkey" PRIMARY KEY (id)
);
CREATE INDEX room_images_room_id_7ee1491d ON room_images USING btree (room_id);
CREATE INDEX room_images_uploaded_by_339f31a6 ON room_images USING btree (uploaded_by);

CREATE TABLE "room_type_images" (
    "id" integer GENERATED BY DEFAULT AS IDENTITY NOT NULL,
    "image_name" character varying(255) NOT NULL,
    "image_type" character varying(20) NOT NULL,
    "image_path" character varying(500) NOT NULL,
    "storage_location" character varying(50) NOT NULL,
    "file_size_bytes" integer,
    "mime_type" character varying(100),
    "original_filename" character varying(255),
    "image_width" integer,
    "image_height" integer,
    "description" text,
    "display_order" integer,
    "is_active" boolean,
    "created_at" timestamp with time zone,
    "updated_at" timestamp with time zone,
    "room_type_id" integer NOT NULL,
    "uploaded_by" integer,
    CONSTRAINT "room_type_images_pkey" PRIMARY KEY (id)
);
CREATE INDEX room_type_images_room_type_id_ac7a7d47 ON room_type_images USING btree (room_type_id);
CREATE INDEX room_type_images_uploaded_by_2fa4b673 ON room_type_images USING btree (uploaded_by);

CREATE TABLE "room_types" (
    "id" integer GENERATED BY DEFAULT AS IDENTITY NOT NULL,
    "name" character varying(100) NOT NULL,
    "code" character varying(10) NOT NULL,
    "description" text,
    "base_capacity_adults" integer,
    "base_capacity_children" integer,
    "bed_config" character varying(100),
    "default_rate" numeric(12,2) NOT NULL,
    "amenities" text,
    "max_occupancy" integer,
    "is_active" boolean,
    "created_at" timestamp with time zone,
    "updated_at" timestamp with time zone,
    "exemptions" jsonb,
    CONSTRAINT "room_types_code_key" UNIQUE (code),
    CONSTRAINT "room_types_pkey" PRIMARY KEY (id),
    CONSTRAINT "room_types_rate_in_range" CHECK ((((default_rate >= (0)::numeric) AND (default_rate <= 9999999999.99)) OR ((exemptions -> 'room_types_rate_in_range'::text) IS NOT NULL)))
);
CREATE INDEX room_types_code_586fa95b_like ON room_types USING btree (code varchar_pattern_ops);
CREATE TRIGGER room_types_rate_in_range_exempt BEFORE INSERT OR UPDATE ON room_types FOR EACH ROW WHEN ((new.exemptions IS NOT NULL)) EXECUTE FUNCTION migrator_end_exemption('room_types_rate_in_range', 'default_rate');

CREATE TABLE "rooms" (
    "id" integer GENERATED BY DEFAULT AS IDENTITY NOT NULL,
    "room_number" character varying(10) NOT NULL,
    "floor" integer,
    "room_type_id" integer NOT NULL,
    "status" character varying(20) DEFAULT 'available'::character varying NOT NULL,
    "view_type" character varying(50),
    "notes" text,
    "custom_rate" numeric(12,2),
    "is_active" boolean,
    "created_at" timestamp with time zone,
    "updated_at" timestamp with time zone,
    "housekeeping_status" character varying(20) DEFAULT 'clean'::character varying NOT NULL,
    "exemptions" jsonb,
    CONSTRAINT "rooms_housekeeping_status_known" CHECK ((((housekeeping_status)::text = ANY ((ARRAY['dirty'::character varying, 'clean'::character varying, 'inspected'::character varying])::text[])) OR ((exemptions -> 'rooms_housekeeping_status_known'::text) IS NOT NULL))),
    CONSTRAINT "rooms_pkey" PRIMARY KEY (id),
    CONSTRAINT "rooms_rate_in_range" CHECK ((((custom_rate >= (0)::numeric) AND (custom_rate <= 9999999999.99)) OR ((exemptions -> 'rooms_rate_in_range'::text) IS NOT NULL))),
    CONSTRAINT "rooms_room_number_key" UNIQUE (room_number),
    CONSTRAINT "rooms_status_known" CHECK ((((status)::text = ANY ((ARRAY['available'::character varying, 'occupied'::character varying, 'maintenance'::character varying, 'out_of_order'::character varying])::text[])) OR ((exemptions -> 'rooms_status_known'::text) IS NOT NULL)))
);
CREATE INDEX rooms_room_number_f06ed514_like ON rooms USING btree (room_number varchar_pattern_ops);
CREATE INDEX rooms_room_type_id_c94e486c ON rooms USING btree (room_type_id);
CREATE TRIGGER rooms_housekeeping_status_known_exempt BEFORE INSERT OR UPDATE ON rooms FOR EACH ROW WHEN ((new.exemptions IS NOT NULL)) EXECUTE FUNCTION migrator_end_exemption('rooms_housekeeping_status_known', 'housekeeping_status');
CREATE TRIGGER rooms_rate_in_range_exempt BEFORE INSERT OR UPDATE ON rooms FOR EACH ROW WHEN ((new.exemptions IS NOT NULL)) EXECUTE FUNCTION migrator_end_exemption('rooms_rate_in_range', 'custom_rate');
CREATE TRIGGER rooms_status_known_exempt BEFORE INSERT OR UPDATE ON rooms FOR EACH ROW WHEN ((new.exemptions IS NOT NULL)) EXECUTE FUNCTION migrator_end_exemption('rooms_status_known', 'status');

CREATE TABLE "sent_forms" (
    "id" integer GENERATED BY DEFAULT AS IDENTITY NOT NULL,
    "key" character varying(64) NOT NULL,
    "model" character varying(100) NOT NULL,
    "row" character varying(64) NOT NULL,
    "sent_at" timestamp with time zone NOT NULL,
    CONSTRAINT "sent_forms_key_once" UNIQUE (key),
    CONSTRAINT "sent_forms_pkey" PRIMARY KEY (id)
);

CREATE TABLE "settings" (
    "id" integer GENERATED BY DEFAULT AS IDENTITY NOT NULL,
    "setting_key" character varying(100) NOT NULL,
    "setting_value" text,
    "setting_type" character varying(20),
    "is_editable" boolean,
    "description" text,
    "category" character varying(50),
    "created_at" timestamp with time zone,
    "updated_at" timestamp with time zone,
    CONSTRAINT "settings_pkey" PRIMARY KEY (id),
    CONSTRAINT "settings_setting_key_key" UNIQUE (setting_key)
);
CREATE INDEX settings_setting_key_0a774d61_like ON settings USING btree (setting_key varchar_pattern_ops);

CREATE TABLE "stay_parts" (
    "id" integer GENERATED BY DEFAULT AS IDENTITY NOT NULL,
    "start_date" date NOT NULL,
    "end_date" date NOT NULL,
    "status" character varying(20) NOT NULL,
    "is_present" boolean DEFAULT false NOT NULL,
    "exemptions" jsonb,
    "reservation_id" integer NOT NULL,
    "room_id" integer,
    "room_type_id" integer NOT NULL,
    CONSTRAINT "stay_parts_no_double_booking" EXCLUDE USING gist (room_id WITH =, daterange(start_date,
CASE
    WHEN (end_date < start_date) THEN start_date
    ELSE end_date
END) WITH &&, (
CASE
    WHEN ((exemptions -> 'stay_parts_no_double_booking'::text) IS NOT NULL) THEN '-9223372036854775808'::bigint
    ELSE (id)::bigint
END) WITH <>) WHERE (((room_id IS NOT NULL) AND ((status)::text = ANY ((ARRAY['confirmed'::character varying, 'checked_in'::character varying])::text[])))) DEFERRABLE,
    CONSTRAINT "stay_parts_pkey" PRIMARY KEY (id)
);
CREATE INDEX stay_parts_exempt_idx ON stay_parts USING btree (id) WHERE (exemptions IS NOT NULL);
CREATE INDEX stay_parts_in_order_idx ON stay_parts USING btree (reservation_id, start_date);
CREATE INDEX stay_parts_of_room_idx ON stay_parts USING btree (room_id, end_date, start_date) WHERE ((status)::text = ANY ((ARRAY['pending'::character varying, 'confirmed'::character varying, 'checked_in'::character varying])::text[]));
CREATE INDEX stay_parts_of_splits_idx ON stay_parts USING btree (reservation_id) WHERE (NOT is_present);
CREATE INDEX stay_parts_of_type_idx ON stay_parts USING btree (room_type_id, end_date, start_date) WHERE ((status)::text = ANY ((ARRAY['pending'::character varying, 'confirmed'::character varying, 'checked_in'::character varying])::text[]));
CREATE UNIQUE INDEX stay_parts_one_present ON stay_parts USING btree (reservation_id) WHERE is_present;
CREATE INDEX stay_parts_reservation_id_220d809f ON stay_parts USING btree (reservation_id);
CREATE INDEX stay_parts_room_id_8a798085 ON stay_parts USING btree (room_id);
CREATE INDEX stay_parts_room_type_id_6aa058f9 ON stay_parts USING btree (room_type_id);
CREATE CONSTRAINT TRIGGER stay_parts_make_the_stay AFTER INSERT OR DELETE OR UPDATE ON stay_parts DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((pg_trigger_depth() = 0)) EXECUTE FUNCTION stay_parts_make_the_stay();
CREATE TRIGGER stay_parts_no_double_booking_exempt BEFORE INSERT OR UPDATE ON stay_parts FOR EACH ROW WHEN ((new.exemptions IS NOT NULL)) EXECUTE FUNCTION migrator_end_exemption('stay_parts_no_double_booking', 'end_date', 'room_id', 'start_date', 'status');

CREATE TABLE "users" (
    "id" integer GENERATED BY DEFAULT AS IDENTITY NOT NULL,
    "username" character varying(50) NOT NULL,
    "password_hash" character varying(255) NOT NULL,
    "email" character varying(100),
    "full_name" character varying(100),
    "phone" character varying(20),
    "last_login" timestamp with time zone,
    "created_at" timestamp with time zone,
    "updated_at" timestamp with time zone,
    "is_active" boolean DEFAULT true NOT NULL,
    "is_staff" boolean DEFAULT false NOT NULL,
    "is_superuser" boolean DEFAULT false NOT NULL,
    "exemptions" jsonb,
    CONSTRAINT "users_pkey" PRIMARY KEY (id),
    CONSTRAINT "users_username_key" UNIQUE (username),
    CONSTRAINT "users_username_unique" EXCLUDE USING gist (lower(((username)::text COLLATE "C")) WITH =, (
CASE
    WHEN ((exemptions -> 'users_username_unique'::text) IS NOT NULL) THEN '-9223372036854775808'::bigint
    ELSE (id)::bigint
END) WITH <>) DEFERRABLE
);
CREATE INDEX users_email_idx ON users USING btree (email);
CREATE INDEX users_username_e8658fc8_like ON users USING btree (username varchar_pattern_ops);
CREATE TRIGGER users_username_unique_exempt BEFORE INSERT OR UPDATE ON users FOR EACH ROW WHEN ((new.exemptions IS NOT NULL)) EXECUTE FUNCTION migrator_end_exemption('users_username_unique', 'username');

CREATE TABLE "users_groups" (
    "id" integer GENERATED BY DEFAULT AS IDENTITY NOT NULL,
    "user_id" integer NOT NULL,
    "group_id" integer NOT NULL,
    CONSTRAINT "users_groups_pkey" PRIMARY KEY (id),
    CONSTRAINT "users_groups_user_id_group_id_fc7788e8_uniq" UNIQUE (user_id, group_id)
);
CREATE INDEX users_groups_group_id_2f3517aa ON users_groups USING btree (group_id);
CREATE INDEX users_groups_user_id_f500bee5 ON users_groups USING btree (user_id);

CREATE TABLE "users_user_permissions" (
    "id" integer GENERATED BY DEFAULT AS IDENTITY NOT NULL,
    "user_id" integer NOT NULL,
    "permission_id" integer NOT NULL,
    CONSTRAINT "users_user_permissions_pkey" PRIMARY KEY (id),
    CONSTRAINT "users_user_permissions_user_id_permission_id_3b86cbdf_uniq" UNIQUE (user_id, permission_id)
);
CREATE INDEX users_user_permissions_permission_id_6d08dcd2 ON users_user_permissions USING btree (permission_id);
CREATE INDEX users_user_permissions_user_id_92473840 ON users_user_permissions USING btree (user_id);

ALTER TABLE "auth_group_permissions" ADD CONSTRAINT "auth_group_permissio_permission_id_84c5c92e_fk_auth_perm" FOREIGN KEY (permission_id) REFERENCES auth_permission(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "auth_group_permissions" ADD CONSTRAINT "auth_group_permissions_group_id_b120cbf9_fk_auth_group_id" FOREIGN KEY (group_id) REFERENCES auth_group(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "auth_permission" ADD CONSTRAINT "auth_permission_content_type_id_2f476e4b_fk_django_co" FOREIGN KEY (content_type_id) REFERENCES django_content_type(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "axes_accessattemptexpiration" ADD CONSTRAINT "axes_accessattemptex_access_attempt_id_6b73a47a_fk_axes_acce" FOREIGN KEY (access_attempt_id) REFERENCES axes_accessattempt(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "business_day_events" ADD CONSTRAINT "business_day_events_business_day_id_2afbe8d9_fk_business_" FOREIGN KEY (business_day_id) REFERENCES business_days(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "business_day_events" ADD CONSTRAINT "business_day_events_by_id_3dddbeef_fk_users_id" FOREIGN KEY (by_id) REFERENCES users(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "business_days" ADD CONSTRAINT "business_days_closed_by_id_dc048690_fk_users_id" FOREIGN KEY (closed_by_id) REFERENCES users(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "business_days" ADD CONSTRAINT "business_days_reopened_by_id_e0669992_fk_users_id" FOREIGN KEY (reopened_by_id) REFERENCES users(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "charge_events" ADD CONSTRAINT "charge_events_by_id_f5abf2f4_fk_users_id" FOREIGN KEY (by_id) REFERENCES users(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "charge_events" ADD CONSTRAINT "charge_events_charge_id_0b3f4924_fk_charges_id" FOREIGN KEY (charge_id) REFERENCES charges(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "charges" ADD CONSTRAINT "charges_created_by_22b53170_fk_users_id" FOREIGN KEY (created_by) REFERENCES users(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "charges" ADD CONSTRAINT "charges_reservation_id_20d0c942_fk_reservations_id" FOREIGN KEY (reservation_id) REFERENCES reservations(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "charges" ADD CONSTRAINT "charges_voided_by_3c28f458_fk_users_id" FOREIGN KEY (voided_by) REFERENCES users(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "daily_adjustments" ADD CONSTRAINT "daily_adjustments_room_type_id_e8c310ec_fk_room_types_id" FOREIGN KEY (room_type_id) REFERENCES room_types(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "daily_metrics" ADD CONSTRAINT "daily_metrics_room_type_id_8550615a_fk_room_types_id" FOREIGN KEY (room_type_id) REFERENCES room_types(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "deposit_movements" ADD CONSTRAINT "deposit_movements_created_by_2791a2e4_fk_users_id" FOREIGN KEY (created_by) REFERENCES users(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "deposit_movements" ADD CONSTRAINT "deposit_movements_payment_id_4cbd441a_fk_payments_id" FOREIGN KEY (payment_id) REFERENCES payments(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "deposit_movements" ADD CONSTRAINT "deposit_movements_reservation_id_f7ec9095_fk_reservations_id" FOREIGN KEY (reservation_id) REFERENCES reservations(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "discounts" ADD CONSTRAINT "discounts_created_by_fd703cd7_fk_users_id" FOREIGN KEY (created_by) REFERENCES users(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "django_admin_log" ADD CONSTRAINT "django_admin_log_content_type_id_c4bce8eb_fk_django_co" FOREIGN KEY (content_type_id) REFERENCES django_content_type(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "django_admin_log" ADD CONSTRAINT "django_admin_log_user_id_c564eba6_fk_users_id" FOREIGN KEY (user_id) REFERENCES users(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "guest_images" ADD CONSTRAINT "guest_images_guest_id_f6a0801a_fk_guests_id" FOREIGN KEY (guest_id) REFERENCES guests(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "guest_images" ADD CONSTRAINT "guest_images_uploaded_by_user_id_d81ffafa_fk_users_id" FOREIGN KEY (uploaded_by_user_id) REFERENCES users(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "guest_merges" ADD CONSTRAINT "guest_merges_by_id_2f45067d_fk_users_id" FOREIGN KEY (by_id) REFERENCES users(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "guest_merges" ADD CONSTRAINT "guest_merges_guest_id_a3b67208_fk_guests_id" FOREIGN KEY (guest_id) REFERENCES guests(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "guest_merges" ADD CONSTRAINT "guest_merges_undone_by_id_b8f7c307_fk_users_id" FOREIGN KEY (undone_by_id) REFERENCES users(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "guests" ADD CONSTRAINT "guests_preferred_room_type_id_913ee5d5_fk_room_types_id" FOREIGN KEY (preferred_room_type_id) REFERENCES room_types(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "payment_attachments" ADD CONSTRAINT "payment_attachments_payment_id_02dcb773_fk_payments_id" FOREIGN KEY (payment_id) REFERENCES payments(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "payment_attachments" ADD CONSTRAINT "payment_attachments_uploaded_by_a447eeca_fk_users_id" FOREIGN KEY (uploaded_by) REFERENCES users(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "payment_attachments" ADD CONSTRAINT "payment_attachments_verified_by_66af5066_fk_users_id" FOREIGN KEY (verified_by) REFERENCES users(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "payment_events" ADD CONSTRAINT "payment_events_by_id_241779d0_fk_users_id" FOREIGN KEY (by_id) REFERENCES users(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "payment_events" ADD CONSTRAINT "payment_events_payment_id_ecc781a6_fk_payments_id" FOREIGN KEY (payment_id) REFERENCES payments(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "payments" ADD CONSTRAINT "payments_created_by_632996c5_fk_users_id" FOREIGN KEY (created_by) REFERENCES users(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "payments" ADD CONSTRAINT "payments_refund_of_id_921af943_fk_payments_id" FOREIGN KEY (refund_of_id) REFERENCES payments(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "payments" ADD CONSTRAINT "payments_reservation_id_4f393c4b_fk_reservations_id" FOREIGN KEY (reservation_id) REFERENCES reservations(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "payments" ADD CONSTRAINT "payments_voided_by_dea9f4b2_fk_users_id" FOREIGN KEY (voided_by) REFERENCES users(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "permission_grants" ADD CONSTRAINT "permission_grants_group_id_3db581f8_fk_auth_group_id" FOREIGN KEY (group_id) REFERENCES auth_group(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "permission_grants" ADD CONSTRAINT "permission_grants_permission_id_3f683cdf_fk_auth_permission_id" FOREIGN KEY (permission_id) REFERENCES auth_permission(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "reservation_events" ADD CONSTRAINT "reservation_events_by_id_51ec573d_fk_users_id" FOREIGN KEY (by_id) REFERENCES users(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "reservation_events" ADD CONSTRAINT "reservation_events_reservation_id_ea58f1fc_fk_reservations_id" FOREIGN KEY (reservation_id) REFERENCES reservations(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "reservations" ADD CONSTRAINT "reservations_booking_channel_id_d12304d3_fk_booking_channels_id" FOREIGN KEY (booking_channel_id) REFERENCES booking_channels(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "reservations" ADD CONSTRAINT "reservations_checked_in_by_ddee9b99_fk_users_id" FOREIGN KEY (checked_in_by) REFERENCES users(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "reservations" ADD CONSTRAINT "reservations_created_by_8930e9e8_fk_users_id" FOREIGN KEY (created_by) REFERENCES users(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "reservations" ADD CONSTRAINT "reservations_discount_id_cbd7dd38_fk_discounts_id" FOREIGN KEY (discount_id) REFERENCES discounts(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "reservations" ADD CONSTRAINT "reservations_guest_id_337ff215_fk_guests_id" FOREIGN KEY (guest_id) REFERENCES guests(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "reservations" ADD CONSTRAINT "reservations_room_id_b8923610_fk_rooms_id" FOREIGN KEY (room_id) REFERENCES rooms(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "reservations" ADD CONSTRAINT "reservations_room_type_id_46338413_fk_room_types_id" FOREIGN KEY (room_type_id) REFERENCES room_types(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "room_blocks" ADD CONSTRAINT "room_blocks_created_by_2976d13d_fk_users_id" FOREIGN KEY (created_by) REFERENCES users(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "room_blocks" ADD CONSTRAINT "room_blocks_room_id_246a09b1_fk_rooms_id" FOREIGN KEY (room_id) REFERENCES rooms(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "room_events" ADD CONSTRAINT "room_events_by_id_38b5846f_fk_users_id" FOREIGN KEY (by_id) REFERENCES users(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "room_events" ADD CONSTRAINT "room_events_room_id_11e20f80_fk_rooms_id" FOREIGN KEY (room_id) REFERENCES rooms(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "room_images" ADD CONSTRAINT "room_images_room_id_7ee1491d_fk_rooms_id" FOREIGN KEY (room_id) REFERENCES rooms(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "room_images" ADD CONSTRAINT "room_images_uploaded_by_339f31a6_fk_users_id" FOREIGN KEY (uploaded_by) REFERENCES users(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "room_type_images" ADD CONSTRAINT "room_type_images_room_type_id_ac7a7d47_fk_room_types_id" FOREIGN KEY (room_type_id) REFERENCES room_types(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "room_type_images" ADD CONSTRAINT "room_type_images_uploaded_by_2fa4b673_fk_users_id" FOREIGN KEY (uploaded_by) REFERENCES users(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "rooms" ADD CONSTRAINT "rooms_room_type_id_c94e486c_fk_room_types_id" FOREIGN KEY (room_type_id) REFERENCES room_types(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "stay_parts" ADD CONSTRAINT "stay_parts_reservation_id_220d809f_fk_reservations_id" FOREIGN KEY (reservation_id) REFERENCES reservations(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "stay_parts" ADD CONSTRAINT "stay_parts_room_id_8a798085_fk_rooms_id" FOREIGN KEY (room_id) REFERENCES rooms(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "stay_parts" ADD CONSTRAINT "stay_parts_room_type_id_6aa058f9_fk_room_types_id" FOREIGN KEY (room_type_id) REFERENCES room_types(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "users_groups" ADD CONSTRAINT "users_groups_group_id_2f3517aa_fk_auth_group_id" FOREIGN KEY (group_id) REFERENCES auth_group(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "users_groups" ADD CONSTRAINT "users_groups_user_id_f500bee5_fk_users_id" FOREIGN KEY (user_id) REFERENCES users(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "users_user_permissions" ADD CONSTRAINT "users_user_permissio_permission_id_6d08dcd2_fk_auth_perm" FOREIGN KEY (permission_id) REFERENCES auth_permission(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "users_user_permissions" ADD CONSTRAINT "users_user_permissions_user_id_92473840_fk_users_id" FOREIGN KEY (user_id) REFERENCES users(id) DEFERRABLE INITIALLY DEFERRED;

INSERT INTO "auth_group" ("id", "name") VALUES
    (1, 'Manager'),
    (2, 'Front desk'),
    (3, 'Housekeeping'),
    (4, 'Accounting'),
    (5, 'Read-only');

SELECT setval('"auth_group_id_seq"', 5);

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
