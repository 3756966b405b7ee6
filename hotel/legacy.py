"""The legacy hotel system, and the shapes of its databases: what ``manage.py db adopt`` takes over.

FastAPI and SQLAlchemy, without migrations. Its tables were made by ``create_all`` of the models of
the day, or by SQL files, or by both; docs/adopting.md tells them apart. All of them fit one point
of this history, the last before the first data migration: what a shape lacks is what the empty
columns and tables added until there would hold (docs/decisions/0014).
"""

from hotel.migrator.adopt.shapes import (
    ABSENT,
    ORPHAN_REFERENCE,
    ORPHAN_ROW,
    STAND_IN,
    Legacy,
    Shape,
    StandIn,
    Stranger,
    Table,
)

STAMPS = "created_at updated_at"
FILE = "storage_location file_size_bytes mime_type original_filename uploaded_by description"
PICTURE = f"image_name image_type image_path {FILE} image_width image_height display_order"

TABLES = {
    "users": Table(
        "users", f"id username password_hash email full_name phone role status last_login {STAMPS}"
    ),
    "settings": Table(
        "settings",
        f"id setting_key setting_value setting_type is_editable description category {STAMPS}",
    ),
    "room_types": Table(
        "room_types",
        "id name code description base_capacity_adults base_capacity_children bed_config"
        f" default_rate amenities max_occupancy is_active {STAMPS}",
    ),
    "rooms": Table(
        "rooms",
        f"id room_number floor room_type_id status view_type notes custom_rate is_active {STAMPS}",
    ),
    "room_images": Table("room_images", f"id room_id {PICTURE} is_active {STAMPS}"),
    "room_type_images": Table("room_type_images", f"id room_type_id {PICTURE} is_active {STAMPS}"),
    "guests": Table(
        "guests",
        "id full_name email phone phone_country_code id_type id_number nationality birth_date notes"
        f" is_vip preferred_room_type_id {STAMPS}",
    ),
    "guest_images": Table(
        "guest_images",
        "id guest_id image_type file_path file_name file_size mime_type uploaded_by_user_id"
        " created_at",
    ),
    "discounts": Table(
        "discounts",
        "id name code description discount_type discount_value max_discount_amount"
        " applicable_room_types applicable_guests valid_from valid_until usage_limit usage_count"
        " min_stay_nights min_booking_amount max_bookings_per_guest status is_auto_applied"
        f" created_by {STAMPS}",
    ),
    "booking_channels": Table(
        "booking_channels",
        "id name code description channel_type api_url api_key api_secret webhook_url is_enabled"
        " auto_confirm sync_enabled sync_interval_minutes commission_percentage"
        f" commission_fixed_amount support_contact support_email {STAMPS}",
    ),
    "reservations": Table(
        "reservations",
        "id confirmation_number guest_id check_in_date check_out_date room_type_id room_id adults"
        " children rate_per_night number_of_nights subtotal discount_amount discount_id"
        " total_amount deposit_amount special_requests status booking_source booking_channel_id"
        " created_by checked_in_by checked_in_by_name checked_in_at checked_out_at"
        f" deposit_returned_at is_archived {STAMPS}",
    ),
    "payments": Table(
        "payments",
        "id reservation_id payment_date amount payment_method payment_type reference_number"
        " transaction_id notes created_by is_refund refund_reason is_voided has_proof"
        f" {STAMPS}",
    ),
    "payment_attachments": Table(
        "payment_attachments",
        f"id payment_id file_name file_type file_path {FILE} is_verified verified_by verified_at"
        f" {STAMPS}",
    ),
    "expenses": Table("expenses", f"id date category amount description receipt_url {STAMPS}"),
}

DEPOSITS = ("reservations.deposit_amount", "reservations.deposit_returned_at")
LATER = (*DEPOSITS, "reservations.checked_in_by", "payments.payment_type")
LATER_TABLES = ("guest_images", "expenses")

LEGACY = Legacy(
    says="the legacy hotel system",
    point=(
        ("dashboard", "0001_initial"),
        ("reservations", "0004_add_deposit_columns"),
        ("payments", "0003_add_payment_type"),
    ),
    tables=TABLES,
    shapes=(
        Shape(
            "P",
            "made by the SQL files 001 to 004",
            has=(*LATER, *LATER_TABLES),
            generated=("reservations.number_of_nights",),
        ),
        Shape("O2", "made by create_all of the last models", has=(*LATER, *LATER_TABLES)),
        Shape(
            "O1",
            "made by create_all of the first models; a later start added tables, not columns",
            has=LATER_TABLES,
            lacks=LATER,
        ),
        Shape("O0", "made by create_all of the first models", lacks=(*LATER, *LATER_TABLES)),
    ),
    optional=frozenset({*LATER, *LATER_TABLES, "reservations.checked_in_by_name"}),
    generated=frozenset({"reservations.number_of_nights"}),
    kept=frozenset({"rooms.level"}),
    beside={"alembic_version": "Alembic's record of revisions"},
    strangers=(
        Stranger(
            "K",
            ("tenants", "room_history", "payments.tenant_id", "rooms.monthly_rate"),
            "It is of the boarding house system (kos) that came before the hotel system: another"
            " business, whose monthly rents have no honest nightly rate and whose tenants no stays."
            " It is not taken over. Keep its file, and begin a hotel with an empty database.",
        ),
    ),
    computed=frozenset({"daily_metrics", "permission_grants"}),
    # A stay does not hang on its author. Neither this role nor this hash means anything, so that
    # nobody can log in as this user, who is in no group and has no right.
    stand_ins={
        "users": StandIn(
            name="username",
            values={
                "username": "missing-user-{id}",
                "full_name": "Missing user {id} of the legacy system",
                "password_hash": "!",
                "role": "none",
                "status": "inactive",
            },
        )
    },
    accepted={
        ABSENT: "a column or a table that this shape lacks is empty, as the migration that adds it"
        " leaves it",
        ORPHAN_REFERENCE: "a reference that may be empty, to a row that is not there, is NULL; the"
        " number is in migrator_archive",
        STAND_IN: "a reference to a user who is not there leads to an inactive user, made for it;"
        " what it held is in migrator_archive",
        ORPHAN_ROW: "a row that refers to none or to one that is not there, where it must, stays"
        " aside, with the rows that need it",
    },
    changed="updated_at",
)
