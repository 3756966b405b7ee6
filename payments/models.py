"""Money received, refunded, held, charged and spent: one module, since rows refer to each other."""

from decimal import Decimal

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from hotel.events import EventBase, event_rules
from hotel.migrator.constraints import AppendOnly, Check, Frozen, Sealed
from hotel.migrator.expressions import FromSetting, IsCurrencyCode
from hotel.migrator.fields import ExemptionsField
from hotel.migrator.indexes import TrigramIndex

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
    currency = models.CharField(
        max_length=3, db_default=FromSetting("HOTEL_CURRENCY"), editable=False
    )
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
    refund_of = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="refunds"
    )
    voided_at = models.DateTimeField(null=True, blank=True)
    voided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_column="voided_by",
        related_name="+",
    )
    void_reason = models.TextField(null=True, blank=True)
    has_proof = models.BooleanField(null=True, blank=True, default=False)
    idempotency_key = models.CharField(max_length=64, null=True, blank=True, editable=False)
    created_at = models.DateTimeField(null=True, blank=True, auto_now_add=True)
    updated_at = models.DateTimeField(null=True, blank=True, auto_now=True)
    exemptions = ExemptionsField()

    class Meta:
        db_table = "payments"
        permissions = [
            ("refund_payment", "Can give a payment back"),
            ("void_payment", "Can void a payment of today"),
            ("settle_payment", "Can apply a deposit and give it back"),
            ("forfeit_payment", "Can keep a deposit for the hotel"),
        ]
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
            Check(
                name="payments_void_has_time",
                condition=Q(is_voided__isnull=True)
                | Q(is_voided=False)
                | Q(voided_at__isnull=False),
                violation_error_message="A voided payment needs the time of its voiding.",
                mend="Nothing need be done: the time is not known.",
            ),
            Check(
                name="payments_only_refunds_give_back",
                condition=Q(refund_of__isnull=True) | Q(is_refund=True),
                violation_error_message="Only a refund gives another payment back.",
                mend="Record the refund anew.",
            ),
            Check(
                name="payments_currency_is_code",
                condition=Q(IsCurrencyCode("currency")),
                violation_error_message="The currency is no code such as IDR.",
                mend="Correct the currency.",
            ),
            Sealed(
                name="payments_of_closed_days",
                period="payment_date",
                closed_by=("business_days", "day", "closed_at"),
                held=["payment_method", "payment_type", "is_voided"],  # the rest never changes
                violation_error_message="The business day of this payment is closed: record a"
                " correction on the day that is open.",
            ),
            models.UniqueConstraint(
                fields=["idempotency_key"],
                name="payments_asked_for_once",
                violation_error_message="This was recorded already.",
            ),
            Frozen(
                name="payments_frozen",
                fixed=[
                    *("reservation", "payment_date", "amount", "currency"),
                    *("is_refund", "refund_of"),
                ],
                violation_error_message="What was paid stays as it was recorded: void it, or give"
                " it back.",
            ),
        ]
        indexes = [
            models.Index(fields=["-payment_date", "-id"], name="payments_newest_idx"),
            models.Index(
                fields=["id"], name="payments_exempt_idx", condition=Q(exemptions__isnull=False)
            ),
            TrigramIndex(field="reference_number", name="payments_reference_part_idx"),
            TrigramIndex(field="transaction_id", name="payments_transaction_part_idx"),
        ]

    def __str__(self) -> str:
        return f"{self.payment_date} {self.amount}"


class Event(EventBase):
    """What happened to a payment, and what it changed."""

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="events")

    class Meta:
        db_table = "payment_events"
        constraints = event_rules("payment_events")


class DepositKind(models.TextChoices):
    """What happened to a deposit."""

    COLLECTED = "collected", "Collected"
    APPLIED = "applied", "Applied"
    UNAPPLIED = "unapplied", "Un-applied"
    REFUNDED = "refunded", "Given back"
    FORFEITED = "forfeited", "Forfeited"
    CORRECTED = "corrected", "Corrected"


class DepositEvidence(models.TextChoices):
    """What a movement rests on."""

    RECORDED = "recorded", "Recorded as it happened"
    PAYMENT = "payment", "From a payment"
    LEGACY_COLUMN = "legacy_column", "From the legacy column"
    ASSUMED = "assumed", "Assumed"


class DepositMovement(models.Model):
    """One line of the ledger of deposits, which is only added to.

    What is held of a guest is what was collected or un-applied, and corrections, less everything
    else. amount: in
    the hotel's currency, above zero; a correction can be negative. occurred_at: unknown of some
    legacy deposits. business_date: the hotel's.
    """

    reservation = models.ForeignKey(
        "reservations.Reservation", on_delete=models.PROTECT, related_name="deposit_movements"
    )
    kind = models.CharField(max_length=20, choices=DepositKind)
    amount = models.DecimalField(max_digits=14, decimal_places=2)
    currency = models.CharField(
        max_length=3, db_default=FromSetting("HOTEL_CURRENCY"), editable=False
    )
    payment = models.ForeignKey(
        Payment, on_delete=models.PROTECT, null=True, blank=True, related_name="deposit_movements"
    )
    occurred_at = models.DateTimeField(null=True, blank=True)
    business_date = models.DateField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_column="created_by",
        related_name="+",
    )
    reason = models.TextField(null=True, blank=True)
    evidence = models.CharField(max_length=20, choices=DepositEvidence)
    idempotency_key = models.CharField(max_length=64, null=True, blank=True, editable=False)

    class Meta:
        db_table = "deposit_movements"
        constraints = [
            models.CheckConstraint(
                name="deposit_movements_kind_known",
                condition=Q(kind__in=DepositKind.values),
                violation_error_message="The kind is none of those a movement can have.",
            ),
            models.CheckConstraint(
                name="deposit_movements_amount_positive",
                condition=Q(amount__gt=0) | (Q(kind=DepositKind.CORRECTED) & ~Q(amount=0)),
                violation_error_message="Only a correction can have a negative amount.",
            ),
            models.CheckConstraint(
                name="deposit_movements_evidence_known",
                condition=Q(evidence__in=DepositEvidence.values),
                violation_error_message="The evidence is none of those there are.",
            ),
            models.UniqueConstraint(
                fields=["idempotency_key"],
                name="deposit_movements_asked_for_once",
                violation_error_message="This was recorded already.",
            ),
            models.CheckConstraint(
                name="deposit_movements_currency_is_code",
                condition=Q(IsCurrencyCode("currency")),
                violation_error_message="The currency is no code such as IDR.",
            ),
            AppendOnly(
                name="deposit_movements_append_only",
                violation_error_message="The ledger of deposits is only added to.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.amount}"


class ChargeKind(models.TextChoices):
    """What a guest is charged for besides the nights booked."""

    ROOM = "room", "Nights slept"  # of a stay that was cancelled in house
    CANCELLATION = "cancellation", "Cancellation fee"
    NO_SHOW = "no_show", "No-show fee"
    MINIBAR = "minibar", "Minibar"
    LAUNDRY = "laundry", "Laundry"
    LATE_CHECK_OUT = "late_check_out", "Late check-out"
    OTHER = "other", "Other"


class Charge(models.Model):
    """What a guest is to pay besides the nights booked; it is added, and voided if it was wrong.

    business_date: the hotel's. amount: what the guest pays, in the hotel's currency, ``tax``
    included. tax_rate: percent, as it was then.
    """

    reservation = models.ForeignKey(
        "reservations.Reservation", on_delete=models.PROTECT, related_name="charges"
    )
    kind = models.CharField(max_length=20, choices=ChargeKind)
    business_date = models.DateField()
    amount = models.DecimalField(max_digits=14, decimal_places=2)
    tax_rate = models.DecimalField(max_digits=5, decimal_places=2, default=0, db_default=0)
    tax = models.DecimalField(max_digits=14, decimal_places=2, default=0, db_default=0)
    currency = models.CharField(
        max_length=3, db_default=FromSetting("HOTEL_CURRENCY"), editable=False
    )
    notes = models.TextField(null=True, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_column="created_by",
        related_name="+",
    )
    created_at = models.DateTimeField(null=True, blank=True, auto_now_add=True)
    is_voided = models.BooleanField(default=False, db_default=False)
    voided_at = models.DateTimeField(null=True, blank=True)
    voided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_column="voided_by",
        related_name="+",
    )
    void_reason = models.TextField(null=True, blank=True)
    idempotency_key = models.CharField(max_length=64, null=True, blank=True, editable=False)

    class Meta:
        db_table = "charges"
        permissions = [("void_charge", "Can void a charge of today")]
        constraints = [
            models.CheckConstraint(
                name="charges_kind_known",
                condition=Q(kind__in=ChargeKind.values),
                violation_error_message="The kind is none of those a charge can have.",
            ),
            models.CheckConstraint(
                name="charges_amount_positive",
                condition=Q(amount__gt=0, amount__lte=LARGEST_AMOUNT),
                violation_error_message="The amount must be more than zero.",
            ),
            models.CheckConstraint(
                name="charges_tax_in_range",
                condition=Q(tax__gte=0, tax__lte=F("amount"), tax_rate__range=(0, 100)),
                violation_error_message="The tax must be a part of the amount.",
            ),
            models.CheckConstraint(
                name="charges_void_has_time",
                condition=Q(is_voided=False) | Q(voided_at__isnull=False),
                violation_error_message="A voided charge needs the time of its voiding.",
            ),
            models.CheckConstraint(
                name="charges_currency_is_code",
                condition=Q(IsCurrencyCode("currency")),
                violation_error_message="The currency is no code such as IDR.",
            ),
            models.UniqueConstraint(
                fields=["idempotency_key"],
                name="charges_asked_for_once",
                violation_error_message="This was recorded already.",
            ),
            Frozen(
                name="charges_frozen",
                fixed=[
                    *("reservation", "kind", "business_date", "amount", "tax_rate", "tax"),
                    *("currency", "notes", "created_by", "created_at", "idempotency_key"),
                ],
                violation_error_message="A charge stays as it was recorded: void it.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.amount}"


class ChargeEvent(EventBase):
    """What happened to a charge, and what it changed."""

    charge = models.ForeignKey(Charge, on_delete=models.PROTECT, related_name="events")

    class Meta:
        db_table = "charge_events"
        constraints = event_rules("charge_events")


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

    def __str__(self) -> str:
        return self.file_name


class Expense(models.Model):
    """Money the hotel spent, in its currency."""

    date = models.DateTimeField()
    category = models.CharField(max_length=50)
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    currency = models.CharField(
        max_length=3, db_default=FromSetting("HOTEL_CURRENCY"), editable=False
    )
    description = models.TextField(null=True, blank=True)
    receipt_url = models.CharField(max_length=500, null=True, blank=True)
    created_at = models.DateTimeField(null=True, blank=True, auto_now_add=True)
    updated_at = models.DateTimeField(null=True, blank=True, auto_now=True)

    class Meta:
        db_table = "expenses"
        constraints = [
            models.CheckConstraint(
                name="expenses_currency_is_code",
                condition=Q(IsCurrencyCode("currency")),
                violation_error_message="The currency is no code such as IDR.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.category} {self.amount}"
