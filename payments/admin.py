"""Payments and expenses in the back office."""

from django.contrib import admin

from hotel.admin import BackOfficeAdmin, ReadOnlyAdmin
from hotel.columns import badge, moment, money, rows_of
from payments.models import Expense, Payment, PaymentAttachment


@admin.register(Payment)
class PaymentAdmin(ReadOnlyAdmin):
    """Payments. They are only read here: money is taken and given back by rules, not by typing."""

    list_display = (
        "payment_date",
        "reservation",
        money("amount"),
        "payment_method",
        badge("payment_type"),
        "is_refund",
        "is_voided",
        "has_proof",
    )
    list_filter = ("payment_date", "payment_type", "is_refund", "is_voided", "has_proof")
    list_select_related = ("reservation",)
    search_fields = (
        "reservation__confirmation_number",
        "reservation__guest__full_name",
        "reference_number",
        "transaction_id",
    )
    search_help_text = "Search by confirmation number, guest, reference or transaction."
    ordering = ("-payment_date", "-id")
    fields = (
        "reservation",
        "payment_date",
        money("amount"),
        "payment_method",
        badge("payment_type"),
        "reference_number",
        "transaction_id",
        "notes",
        ("is_refund", "refund_reason"),
        "is_voided",
        "has_proof",
        rows_of("payments.PaymentAttachment", "payment"),
        "created_by",
        moment("created_at"),
        moment("updated_at"),
    )


@admin.register(PaymentAttachment)
class PaymentAttachmentAdmin(ReadOnlyAdmin):
    """Proofs of payment, as the legacy system kept them."""

    list_display = ("file_name", "payment", "file_type", "is_verified", moment("created_at"))
    list_filter = ("is_verified",)
    list_select_related = ("payment",)
    search_fields = ("file_name", "original_filename")
    search_help_text = "Search by file name."
    ordering = ("-id",)


@admin.register(Expense)
class ExpenseAdmin(BackOfficeAdmin):
    """Money spent. It is written down once: words can be mended later, date and amount stand.

    Adding is open although it is money: an expense belongs to no reservation and no balance, so two
    people who add one each break nothing.
    """

    can_delete = False
    list_display = (moment("date"), "category", money("amount"), "description")
    list_filter = ("date",)
    search_fields = ("category", "description")
    search_help_text = "Search by category or description."
    ordering = ("-id",)
    fields = (
        moment("date"),
        "category",
        money("amount"),
        "description",
        "receipt_url",
        moment("created_at"),
        moment("updated_at"),
    )
    add_fields = ("date", "category", "amount", "description", "receipt_url")
