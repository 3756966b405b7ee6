"""What the hotel is set to: the legacy system's ``settings`` table."""

from django.db import models


class Setting(models.Model):
    """One named value, kept as text; ``setting_type`` says how to read it."""

    setting_key = models.CharField(max_length=100, unique=True)
    setting_value = models.TextField(null=True, blank=True)
    setting_type = models.CharField(max_length=20, null=True, blank=True, default="string")
    is_editable = models.BooleanField(null=True, blank=True, default=True)
    description = models.TextField(null=True, blank=True)
    category = models.CharField(max_length=50, null=True, blank=True)
    created_at = models.DateTimeField(null=True, blank=True, auto_now_add=True)
    updated_at = models.DateTimeField(null=True, blank=True, auto_now=True)

    class Meta:
        db_table = "settings"

    def __str__(self):
        return self.setting_key
