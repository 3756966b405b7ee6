"""Payments and expenses in the back office."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest

from hotel.actions import ActingAdmin, Action, ReasonForm
from hotel.admin import BackOfficeAdmin, ReadOnlyAdmin
from hotel.columns import badge, moment, money, rows_of
from payments import charges, forms, services
from payments.models import (
    Charge,
    ChargeEvent,
    DepositMovement,
    Event,
    Expense,
    Payment,
    PaymentAttachment,
)
from reservations.locks import lock_reservation


@admin.register(Payment)
class PaymentAdmin(ActingAdmin):
    """Payments. They are taken on the page of a reservation; here they are refunded or voided."""

    can_add = False
    can_change = False
    can_delete = False
    row_actions = (
        Action(
            "refund",
            "Refund",
            services.refund,
            "{} is recorded.",
            "refund_payment",
            forms.GiveBackForm,
            lambda payment: not payment.is_refund and not payment.is_voided,
            help="Recorded as a row of its own; at most what is left of the payment.",
        ),
        Action(
            "void",
            "Void",
            services.void,
            "{} is voided.",
            "void_payment",
            ReasonForm,
            lambda payment: not payment.is_voided,
            help="For what was typed by mistake today.",
        ),
    )
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
    sortable_by = ("payment_date",)
    list_select_related = ("reservation",)
    search_fields = (
        "reservation__confirmation_number",
        "reservation__guest__search_key",
        "reference_number",
        "transaction_id",
    )
    search_help_text = "Search by confirmation number, guest, reference or transaction."
    ordering = ("-payment_date", "-id")
    fields = (
        "reservation",
        "payment_date",
        (money("amount"), "currency"),
        "payment_method",
        badge("payment_type"),
        "reference_number",
        "transaction_id",
        "notes",
        ("is_refund", "refund_reason"),
        ("is_voided", moment("voided_at"), "voided_by", "void_reason"),
        "refund_of",
        "has_proof",
        rows_of("payments.DepositMovement", "payment"),
        rows_of("payments.PaymentAttachment", "payment"),
        rows_of("payments.Event", "payment"),
        "created_by",
        moment("created_at"),
        moment("updated_at"),
    )

    def lock(self, row: Payment) -> Any:
        """Return the payment as it is now, locked after its reservation as services do it."""
        lock_reservation(row.reservation)
        return super().lock(row)


@admin.register(Charge)
class ChargeAdmin(ActingAdmin):
    """Charges besides the nights. They are made on the page of a reservation, and voided here."""

    can_add = False
    can_change = False
    can_delete = False
    row_actions = (
        Action(
            "void",
            "Void",
            charges.void_charge,
            "{} is voided.",
            "void_charge",
            ReasonForm,
            lambda charge: not charge.is_voided,
            help="For what was typed by mistake today.",
        ),
    )
    list_display = (
        "business_date",
        "reservation",
        badge("kind"),
        money("amount"),
        money("tax"),
        "is_voided",
    )
    list_filter = ("business_date", "kind", "is_voided")
    sortable_by = ()
    list_select_related = ("reservation",)
    search_fields = ("reservation__confirmation_number",)
    search_help_text = "Search by confirmation number."
    ordering = ("-id",)
    fields = (
        "reservation",
        "business_date",
        badge("kind"),
        (money("amount"), "currency"),
        ("tax_rate", money("tax")),
        "notes",
        ("is_voided", moment("voided_at"), "voided_by", "void_reason"),
        rows_of("payments.ChargeEvent", "charge"),
        "created_by",
        moment("created_at"),
    )

    def lock(self, row: Charge) -> Any:
        """Return the charge as it is now, locked after its reservation as services do it."""
        lock_reservation(row.reservation)
        return super().lock(row)


@admin.register(ChargeEvent)
class ChargeEventAdmin(ReadOnlyAdmin):
    """What happened to charges, and by whom."""

    list_display = ("business_date", "charge", "what", "by", "reason", badge("evidence"))
    list_filter = ("evidence", "business_date")
    list_select_related = ("charge", "by")
    search_fields = ("charge__reservation__confirmation_number",)
    search_help_text = "Search by confirmation number."
    ordering = ("-id",)


@admin.register(DepositMovement)
class DepositMovementAdmin(ReadOnlyAdmin):
    """The ledger of deposits, and what each line rests on."""

    list_display = (
        "business_date",
        "reservation",
        badge("kind"),
        money("amount"),
        badge("evidence"),
        "payment",
    )
    list_filter = ("kind", "evidence", "business_date")
    list_select_related = ("reservation", "payment")
    search_fields = ("reservation__confirmation_number",)
    search_help_text = "Search by confirmation number."
    ordering = ("-id",)


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
    """Money spent. Words can be corrected later; date and amount stay as they were entered.

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

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save what was typed; a new expense is in the hotel's currency."""
        if not change:
            obj.currency = settings.HOTEL_CURRENCY
        super().save_model(request, obj, form, change)


@admin.register(Event)
class PaymentEventAdmin(ReadOnlyAdmin):
    """What happened to payments, by whom, and what it changed."""

    list_display = ("business_date", "payment", "what", "by", "reason", badge("evidence"))
    list_filter = ("evidence", "business_date")
    list_select_related = ("payment", "by")
    search_fields = ("payment__reservation__confirmation_number",)
    search_help_text = "Search by confirmation number."
    ordering = ("-id",)
