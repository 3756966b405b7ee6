"""The hotel's admin site, and what all its pages have in common.

The parts above ``BackOfficeAdmin`` only mend what it is made of.
"""

import codecs
import re
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import Any, ClassVar, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import flatten, flatten_fieldsets, model_ngettext
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.contrib.admin.views.main import ChangeList
from django.contrib.admin.widgets import AdminSplitDateTime, AutocompleteSelect
from django.core.exceptions import BadRequest, PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db import IntegrityError, connections, models, transaction
from django.db.models import QuerySet
from django.db.models.fields.related import RelatedField
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.functional import cached_property
from django.utils.text import capfirst

from accounts.forms import StaffLoginForm
from accounts.models import User
from hotel.columns import shown
from hotel.conflicts import KeepingAdmin
from hotel.dashboard.page import MetricsPage
from hotel.desk.calendar import CalendarPage
from hotel.desk.frame import Frame
from hotel.desk.housekeeping import HousekeepingPage
from hotel.desk.search import SearchPage
from hotel.desk.today import TodayPage
from hotel.events import record, remember
from hotel.exemptions import ExemptionFilter, ExemptionsPage, rules_of
from hotel.migrator.admin import DatabasePages
from hotel.search import conditions

COUNTED = 10_000  # rows of a list; how many more there are, nobody pages to
REFERENCES_COUNTED = 100  # rows; how many more there are is nothing to who wants to delete


class HotelAdminSite(
    TodayPage,
    CalendarPage,
    HousekeepingPage,
    SearchPage,
    MetricsPage,
    ExemptionsPage,
    DatabasePages,
    Frame,
    admin.AdminSite,
):
    """The back office."""

    site_header = "Hotel back office"
    site_title = "Hotel"
    index_title = "Today"
    site_url = None  # there is no other site to view
    login_form = StaffLoginForm

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        self.disable_action("delete_selected")  # rows are deleted one by one: see BackOfficeAdmin

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Log in; raise BadRequest for a form in a charset whose text nothing here could hold."""
        if codecs.lookup(request.encoding or "utf-8").name != "utf-8":
            raise BadRequest("The form is not in UTF-8.")
        return super().login(request, extra_context)

    def autocomplete_view(self, request: HttpRequest) -> HttpResponse:
        """Return what may be chosen for a foreign key, as JSON."""
        view = ForeignKeyAutocomplete.as_view(admin_site=self)
        return cast("HttpResponse", view(request))


class ForeignKeyAutocomplete(AutocompleteJsonView):
    """Django's, which fails when the address names the other end of a foreign key."""

    def process_request(self, request: HttpRequest) -> tuple[Any, ...]:
        """Return what Django's does; raise PermissionDenied for junk, as Django does elsewhere."""
        term, model_admin, source_field, to_field_name = super().process_request(request)
        if not isinstance(source_field, RelatedField):
            raise PermissionDenied
        return term, model_admin, source_field, to_field_name


class MoreThan(int):
    """A number of rows that is told as what it is: more than were counted."""

    def __str__(self) -> str:
        return f"more than {int(self):d}"


class BoundedPaginator(Paginator):  # type: ignore[type-arg]  # not at run time
    """Counts no more rows than anybody pages through: counting a big table takes longest."""

    object_list: QuerySet[Any]

    @cached_property
    def count(self) -> int:
        """Return the number of rows, or ``MoreThan`` those that can be paged to."""
        count = self.object_list[: COUNTED + 1].count()
        return MoreThan(COUNTED) if count > COUNTED else count


class BackOfficeChangeList(ChangeList):
    """A list whose address may be anything."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        if not self.is_popup:  # which asks to select one
            self.title = str(capfirst(self.opts.verbose_name_plural))

    def get_ordering_field(self, field_name: Any) -> Any:
        """Return the field to sort by, if the list offers it (``sortable_by``)."""
        return (
            super().get_ordering_field(field_name)
            if field_name in (self.sortable_by or ())
            else None
        )

    def get_results(self, request: HttpRequest) -> None:
        """Read the page; what the database makes no sense of is a wrong address, not an error."""
        # PostgreSQL goes on after an error only outside of it. SQLite would wait for who writes.
        apart = connections[self.queryset.db].vendor == "postgresql"
        try:
            with transaction.atomic(using=self.queryset.db) if apart else nullcontext():
                super().get_results(request)
        except Exception as error:  # as broad as where Django itself reads the address
            if not self.filter_params:
                raise
            raise IncorrectLookupParameters from error


class InstantField(forms.SplitDateTimeField):
    """A date and a time on the hotel's clock, but not the calendar's last hours that UTC lacks."""

    def compress(self, data_list: Any) -> datetime | None:
        """Return an aware datetime in UTC, or None."""
        value = super().compress(data_list)
        try:
            return value and value.astimezone(UTC)
        except OverflowError as error:
            raise ValidationError(self.error_messages["invalid_date"], "invalid_date") from error


class KeysField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]  # not at run time
    """Chosen rows; a key that SQLite's integers cannot express is one more wrong key."""

    def clean(self, value: Any) -> Any:
        """Return the rows; raise ValidationError for a wrong key."""
        try:
            return super().clean(value)
        except OverflowError as error:
            raise ValidationError(self.error_messages["invalid_list"], "invalid_list") from error


class KeyAutocomplete(AutocompleteSelect):
    """Django's, which fails when it shows a form again in which a key was junk."""

    def optgroups(self, name: str, value: Any, attr: Any = None) -> Any:
        """Return the options to show, which are the chosen rows."""
        keys = [key for key in value if re.fullmatch(r"[0-9]{1,18}", str(key))]
        return super().optgroups(name, keys, attr)


class BackOfficeAdmin(KeepingAdmin):
    """What every page of the back office does: bounded lists, bounded deletes, no error on junk.

    fields, fieldsets: a callable in them is a read-only field.
    add_fields: instead of ``fields``, for a row that is being added.
    exclude: fields that lists may not be filtered by either.
    can_add, can_change, can_delete: False forbids it to everybody, owners included.
    deleted_along: models whose rows go with the row they refer to.
    """

    list_per_page = 50
    list_max_show_all = 50
    show_full_result_count = False
    paginator = BoundedPaginator
    formfield_overrides = {
        models.DateTimeField: {"form_class": InstantField, "widget": AdminSplitDateTime},
        models.ManyToManyField: {"form_class": KeysField},
    }
    add_fields: ClassVar[Any] = None
    can_add = True
    can_change = True
    can_delete = True
    deleted_along: tuple[type[models.Model], ...] = ()

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Return whether rows are added here at all, and by this user."""
        return self.can_add and super().has_add_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether rows are changed here at all, and by this user."""
        return self.can_change and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether rows are deleted here at all, and by this user."""
        return self.can_delete and super().has_delete_permission(request, obj)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return the fields of the form, read-only ones included."""
        return (obj is None and self.add_fields) or super().get_fields(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return the fields that nobody types into."""
        fields = [*flatten(self.fields or ()), *flatten_fieldsets(self.fieldsets or ())]
        return [*super().get_readonly_fields(request, obj), *filter(callable, fields)]

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Return the form field of a foreign key."""
        if db_field.name in self.get_autocomplete_fields(request):
            kwargs.setdefault("widget", KeyAutocomplete(db_field, self.admin_site))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Return the class of the list."""
        return BackOfficeChangeList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Search for so much of the term as can be searched for, in lists and autocompletes."""
        names = self.get_search_fields(request)
        for condition in conditions(self.model, names, search_term, queryset.db):
            queryset = queryset.filter(condition)
        return queryset, False

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        """Return the filters of the list; where there are rules, by exemption too."""
        filters: Any = super().get_list_filter(request)
        return [*filters, ExemptionFilter] if rules_of(self.model) else filters

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Return whether the address of a list may filter by this."""
        if lookup.partition("__")[0] in (self.exclude or ()):
            return False
        return super().lookup_allowed(lookup, value, request)

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Any:
        """Return the row, which remembers how it is if events tell of it."""
        row = super().get_object(request, object_id, from_field)
        if row is not None and hasattr(row, "events"):
            remember(row)
        return row

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save what was typed, and leave alone what somebody else may have changed meanwhile."""
        if not change:
            super().save_model(request, obj, form, change)
        elif form.changed_data:
            typed = [
                field.name
                for field in self.opts.concrete_fields
                if field.name in form.changed_data
                or getattr(field, "auto_now", False)
                or not {*form.changed_data}.isdisjoint(getattr(field, "follows", ()))
            ]
            obj.save(update_fields=typed)
            if hasattr(obj, "events"):
                record(obj, "edited", cast("User", request.user))

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[Any, ...]:
        """Return what Django's does, but count the rows that refer to the objects, unread.

        A row that anything refers to stays, whatever its foreign key says: history neither
        disappears nor loses a name, and nothing but the row itself is ever deleted.
        """
        protected = [text for relation in self._references() if (text := _count(relation, objs))]
        deleted = [f"{capfirst(self.opts.verbose_name)}: {obj}" for obj in objs]
        return deleted, {self.opts.verbose_name_plural: len(objs)}, set(), protected

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Delete the row, or say why not; somebody may refer to it since it was looked at."""
        try:
            return super().delete_view(request, object_id, extra_context)
        except IntegrityError:  # Django's ProtectedError is one
            list(messages.get_messages(request))  # reading them forgets "was deleted"
            text = f"The {self.opts.verbose_name} was not deleted: something refers to it now."
            self.message_user(request, text, messages.ERROR)
            return HttpResponseRedirect(request.path)

    def _references(self) -> list[Any]:
        """Return the relations by which rows can refer to rows of this model."""
        return [
            relation
            for relation in self.opts.get_fields(include_hidden=True)
            if (relation.one_to_many or relation.one_to_one)
            and relation.auto_created
            and not relation.concrete
            and not cast(
                "type[models.Model]", relation.related_model
            )._meta.auto_created  # links of many-to-many fields
            and relation.related_model not in self.deleted_along
        ]


class ReadOnlyAdmin(BackOfficeAdmin):
    """Shows rows that nobody changes here, not even an owner."""

    can_add = False
    can_change = False
    can_delete = False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return ``fields``, or else every field of the model that is not excluded."""
        hidden = self.exclude or ()
        return self.fields or [
            shown(field) for field in self.opts.fields if field.name not in hidden
        ]


def _count(relation: Any, objs: Any) -> str:
    """Return how many rows refer to the objects by this relation, in words; "" for none."""
    rows = relation.related_model._base_manager.filter(**{f"{relation.field.name}__in": objs})
    count = rows[: REFERENCES_COUNTED + 1].count()
    name = model_ngettext(relation.related_model, count)
    if count > REFERENCES_COUNTED:
        return f"more than {REFERENCES_COUNTED} {name} refer to it"
    return f"{count} {name} {'refers' if count == 1 else 'refer'} to it" if count else ""
