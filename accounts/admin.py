"""Staff and roles in the back office."""

from datetime import datetime
from typing import Any

from axes.models import AccessAttempt
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group
from django.http import HttpRequest

from accounts.forms import StaffChangeForm, StaffCreationForm
from accounts.models import PermissionGrant, User
from accounts.throttling import locked_until
from hotel.admin import BackOfficeAdmin, ReadOnlyAdmin
from hotel.columns import moment


class OwnersOnlyAdmin(BackOfficeAdmin):
    """Pages on which only owners change anything, so that nobody gives rights they do not have."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Return whether rows are added here at all, and by this user."""
        return request.user.is_superuser and super().has_add_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether the user is an owner."""
        return request.user.is_superuser and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether rows are deleted here at all, and by this user."""
        return request.user.is_superuser and super().has_delete_permission(request, obj)


@admin.register(User)
class StaffAdmin(OwnersOnlyAdmin, UserAdmin):  # type: ignore[type-arg]  # not at run time
    """Staff. Whoever leaves may no longer log in, but stays: what they did goes by their name.

    Rights come from groups; permissions of one person alone are not given here.
    """

    can_delete = False
    form = StaffChangeForm
    add_form = StaffCreationForm
    list_display = (
        "username",
        "full_name",
        "is_active",
        "is_staff",
        "is_superuser",
        moment("last_login"),
    )
    list_filter = ("is_active", "is_staff", "is_superuser", "groups")
    search_fields = ("username", "full_name", "email")
    search_help_text = "Search by user name, full name or e-mail."
    ordering = ("username",)
    filter_horizontal = ("groups",)
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("full_name", "email", "phone")}),
        ("Rights", {"fields": ("is_active", "is_staff", "is_superuser", "groups")}),
        ("Dates", {"fields": (moment("last_login"), moment("created_at"), moment("updated_at"))}),
    )
    add_fieldsets = (
        (
            None,
            {
                "classes": ("wide",),
                "fields": ("username", "full_name", "is_staff", "password1", "password2"),
            },
        ),
    )

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Return what a new form starts with: who is added works here."""
        return {"is_staff": True, **super().get_changeform_initial_data(request)}

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Leave out the password, which is a way to its form, for those who may not change it."""
        fieldsets = super().get_fieldsets(request, obj)
        if self.has_change_permission(request, obj):
            return fieldsets
        return [(None, {"fields": ("username",)}), *fieldsets[1:]]


admin.site.unregister(Group)


@admin.register(Group)
class RoleAdmin(OwnersOnlyAdmin, GroupAdmin):
    """Groups of staff and their permissions; what is taken away here, ``migrate`` leaves away."""

    deleted_along = (PermissionGrant,)
    search_help_text = "Search by name."


@admin.register(PermissionGrant)
class PermissionGrantAdmin(ReadOnlyAdmin):
    """Permissions that ``migrate`` has given to groups."""

    list_display = ("group", "permission")
    list_filter = ("group",)
    list_select_related = ("group", "permission__content_type")
    search_fields = ("group__name", "permission__codename", "permission__name")
    search_help_text = "Search by group or permission."
    ordering = ("group__name", "id")


@admin.register(AccessAttempt)
class FailedLogInAdmin(BackOfficeAdmin):
    """Who failed to log in from where, and how often. Deleting a row lets that name try again."""

    can_add = False
    can_change = False
    list_display = ("username", "ip_address", "failures_since_start", "last_try", "locked_until")
    fields = list_display
    search_fields = ("username", "ip_address")
    search_help_text = "Search by user name or address. To let somebody try again, delete the row."
    ordering = ("-attempt_time",)

    @admin.display(description="Last try", ordering="attempt_time")
    def last_try(self, row: AccessAttempt) -> datetime:
        """Return when the latest was."""
        latest: datetime = row.attempt_time
        return latest

    @admin.display(description="Locked until")
    def locked_until(self, row: AccessAttempt) -> datetime | None:
        """Return until when no further try is let, or None if there are some left."""
        is_locked = row.failures_since_start >= settings.AXES_FAILURE_LIMIT
        return locked_until(row) if is_locked else None
