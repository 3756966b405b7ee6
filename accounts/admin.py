"""Staff and roles in the back office."""

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group

from accounts.forms import StaffChangeForm, StaffCreationForm
from accounts.models import PermissionGrant, User
from hotel.admin import BackOfficeAdmin, ReadOnlyAdmin
from hotel.columns import moment


class OwnersOnlyAdmin(BackOfficeAdmin):
    """Pages on which only owners change anything, so that nobody gives rights he does not have."""

    def has_add_permission(self, request):
        """Return whether rows are added here at all, and by this user."""
        return request.user.is_superuser and super().has_add_permission(request)

    def has_change_permission(self, request, obj=None):
        """Return whether the user is an owner."""
        return request.user.is_superuser and super().has_change_permission(request, obj)

    def has_delete_permission(self, request, obj=None):
        """Return whether rows are deleted here at all, and by this user."""
        return request.user.is_superuser and super().has_delete_permission(request, obj)


@admin.register(User)
class StaffAdmin(OwnersOnlyAdmin, UserAdmin):
    """Staff. Who leaves may no longer log in, but stays: what he did goes by his name.

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

    def get_changeform_initial_data(self, request):
        """Return what a new form starts with: who is added works here."""
        return {"is_staff": True, **super().get_changeform_initial_data(request)}

    def get_fieldsets(self, request, obj=None):
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
