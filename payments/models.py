"""Money taken and given back."""

from decimal import Decimal

from django.conf import settings
from django.db import models
from django.db.models import Q

from hotel.migrator.constraints import Check
from hotel.migrator.fields import ExemptionsField

LARGEST_AMOUNT = Decimal("9999999999.99")


class PaymentType(models.TextChoices):
    """What a payment is for."""

    FULL = "full", "Full payment"
    DOWNPAYMENT = "downpayment", "Down payment"
    DEPOSIT = "deposit", "Deposit"
    ADJUSTMENT = "adjustment", "Adjustment"


class PaymentMethod(models.TextChoices):
    """How money changes hands."""

    CASH = "cash", "Cash"
    CREDIT_CARD = "credit_card", "Credit card"
    DEBIT_CARD = "debit_card", "Debit card"
    BANK_TRANSFER = "bank_transfer", "Bank transfer"
    E_WALLET = "e_wallet", "E-wallet"
    OTHER = "other", "Other"


class Payment(models.Model):
    """Money for a reservation, in the hotel's currency; a refund is a row of its own."""

    reservation = models.ForeignKey("reservations.Reservation", on_delete=models.PROTECT)
    payment_date = models.DateField()
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    payment_method = models.CharField(max_length=20, choices=PaymentMethod)
    payment_type = models.CharField(
        max_length=20, choices=PaymentType, default=PaymentType.FULL, db_default=PaymentType.FULL
    )
    reference_number = models.CharField(max_length=100, null=True, blank=True)
    transaction_id = models.CharField(max_length=100, null=True, blank=True)
    notes = models.TextField(null=True, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_column="created_by",
        related_name="+",
    )
    is_refund = models.BooleanField(null=True, blank=True, default=False)
    refund_reason = models.TextField(null=True, blank=True)
    is_voided = models.BooleanField(null=True, blank=True, default=False)
    has_proof = models.BooleanField(null=True, blank=True, default=False)
    created_at = models.DateTimeField(null=True, blank=True, auto_now_add=True)
    updated_at = models.DateTimeField(null=True, blank=True, auto_now=True)
    exemptions = ExemptionsField()

    class Meta:
        db_table = "payments"
        constraints = [
            Check(
                name="payments_amount_not_zero",
                condition=Q(amount__range=(-LARGEST_AMOUNT, LARGEST_AMOUNT)) & ~Q(amount=0),
                violation_error_message="The amount cannot be zero.",
                mend="Void the payment.",
            ),
            Check(
                name="payments_amount_positive",
                condition=Q(amount__gt=0) | Q(payment_type=PaymentType.ADJUSTMENT),
                violation_error_message="Only an adjustment can have a negative amount.",
                mend="Void the payment and record it again as an adjustment or as a refund.",
            ),
            Check(
                name="payments_method_known",
                condition=Q(payment_method__in=PaymentMethod.values),
                violation_error_message="The method is none of those a payment can have.",
                mend="Choose a method.",
            ),
            Check(
                name="payments_type_known",
                condition=Q(payment_type__in=PaymentType.values),
                violation_error_message="The type is none of those a payment can have.",
                mend="Choose a type.",
            ),
            Check(
                name="payments_refund_has_reason",
                condition=Q(is_refund=False)
                | (Q(refund_reason__isnull=False) & ~Q(refund_reason="")),
                violation_error_message="A refund needs a reason.",
                mend="Write down why the money was given back.",
            ),
        ]
        indexes = [
            models.Index(fields=["payment_date"], name="payments_payment_date_idx"),
            models.Index(fields=["payment_method"], name="payments_method_idx"),
            models.Index(fields=["transaction_id"], name="payments_transaction_id_idx"),
            models.Index(fields=["has_proof"], name="payments_has_proof_idx"),
        ]

    def __str__(self):
        return f"{self.payment_date} {self.amount}"


class PaymentAttachment(models.Model):
    """A proof of payment that was uploaded."""

    payment = models.ForeignKey(Payment, on_delete=models.CASCADE, related_name="attachments")
    file_name = models.CharField(max_length=255)
    file_type = models.CharField(max_length=20)
    file_path = models.CharField(max_length=500)
    storage_location = models.CharField(max_length=50)
    file_size_bytes = models.IntegerField(null=True, blank=True)
    mime_type = models.CharField(max_length=100, null=True, blank=True)
    original_filename = models.CharField(max_length=255, null=True, blank=True)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        db_column="uploaded_by",
        related_name="+",
    )
    description = models.TextField(null=True, blank=True)
    is_verified = models.BooleanField(null=True, blank=True, default=False)
    verified_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        db_column="verified_by",
        related_name="+",
    )
    verified_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(null=True, blank=True, auto_now_add=True)
    updated_at = models.DateTimeField(null=True, blank=True, auto_now=True)

    class Meta:
        db_table = "payment_attachments"

    def __str__(self):
        return self.file_name


class Expense(models.Model):
    """Money the hotel spent, in its currency."""

    date = models.DateTimeField()
    category = models.CharField(max_length=50)
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    description = models.TextField(null=True, blank=True)
    receipt_url = models.CharField(max_length=500, null=True, blank=True)
    created_at = models.DateTimeField(null=True, blank=True, auto_now_add=True)
    updated_at = models.DateTimeField(null=True, blank=True, auto_now=True)

    class Meta:
        db_table = "expenses"

    def __str__(self):
        return f"{self.category} {self.amount}"
