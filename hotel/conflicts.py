"""Pages of rows that keep everybody's changes: what ``hotel.stale`` decides, in Django admin.

``KeepingAdmin`` gives it to the change page of a model, to the rows edited within that page and to
a list that is edited in place: whoever writes a ModelAdmin need do nothing for it.
"""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import flatten_fieldsets
from django.db import IntegrityError, router, transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.text import capfirst

from hotel.dashboard.models import SentForm
from hotel.shown import Shown, words, words_of_short
from hotel.stale import CARRIER, CarryingForm, CarryingFormSet, RowForm, carrying


class KeepingAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not at run time
    """A page whose forms carry what they showed, and ask when somebody has changed the same."""

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return the fields of the page, and with them the one that carries what they show."""
        fieldsets = list(super().get_fieldsets(request, obj))
        may = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        if not may or not fieldsets:
            return fieldsets
        name, options = fieldsets[-1]
        fieldsets[-1] = (name, {**options, "fields": [*options["fields"], CARRIER]})
        return fieldsets

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """Return the class of the form."""
        fields = kwargs.get("fields", ...)
        if fields is ...:
            fields = flatten_fieldsets(self.get_fieldsets(request, obj))
        kwargs["fields"] = fields and [name for name in fields if name != CARRIER]
        form = super().get_form(request, obj, change=change, **kwargs)
        return carrying(form, changing=request.user)

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Any:
        """Return the row; under its lock, if it is about to be changed."""
        row = super().get_object(request, object_id, from_field)
        if row is None or not _is_writing(request, self.model):
            return row
        rows = self.model._base_manager.select_for_update(of=("self",)).filter(pk=row.pk)
        return super().get_object(request, object_id, from_field) if rows.first() else None

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show a row or a new one, or save it; a form that is sent twice adds one row."""
        sent = object_id is None and Shown.read(request.POST.get(CARRIER), f"{self.opts.label}:new")
        if sent and (row := self._added_by(sent.key)):
            return self._say_added(request, row)
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except IntegrityError:  # both were sent at once
            if sent and (row := self._added_by(sent.key)):
                return self._say_added(request, row)
            raise

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save the row, and the key of the form that has added it."""
        sent = None if change else form.shown
        super().save_model(request, obj, form, change)
        if sent:
            SentForm.objects.create(
                key=sent.key, model=self.opts.label, row=str(obj.pk), sent_at=timezone.now()
            )

    def _added_by(self, key: str) -> Any:
        """Return the row that a form with this key has added, or None."""
        form = SentForm.objects.filter(key=key, model=self.opts.label).first()
        return form and self.model._base_manager.filter(pk=form.row).first()

    def _say_added(self, request: HttpRequest, row: Any) -> HttpResponse:
        text = f"The {self.opts.verbose_name} {row} was added already: the form was sent twice."
        self.message_user(request, text, messages.WARNING)
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_change"
        return HttpResponseRedirect(reverse(name, args=[row.pk]))

    def get_formsets_with_inlines(
        self, request: HttpRequest, obj: Any = None
    ) -> Iterator[tuple[Any, Any]]:
        """Return the formsets of rows that are edited within the page."""
        for formset, inline in super().get_formsets_with_inlines(request, obj):
            yield _carrying_set(formset, request.user), inline

    def get_formset_kwargs(
        self, request: HttpRequest, obj: Any, inline: Any, prefix: str
    ) -> dict[str, Any]:
        """Return what a formset is made with; its rows are locked, if they are to be changed."""
        options: dict[str, Any] = super().get_formset_kwargs(request, obj, inline, prefix)
        if "queryset" in options and _is_writing(request, inline.model):
            options["queryset"] = options["queryset"].select_for_update(of=("self",))
        return options

    def get_changelist_formset(self, request: HttpRequest, **kwargs: Any) -> Any:
        """Return the formset of a list that is edited in place."""
        return _carrying_set(super().get_changelist_formset(request, **kwargs), request.user)

    def _get_list_editable_queryset(self, request: HttpRequest, prefix: str) -> QuerySet[Any]:
        rows: QuerySet[Any] = super()._get_list_editable_queryset(request, prefix)
        return rows.select_for_update(of=("self",))

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the list; one that is edited in place is compared and saved in one transaction."""
        if request.method != "POST" or not self.list_editable:
            return super().changelist_view(request, extra_context)
        with transaction.atomic(using=router.db_for_write(self.model)):
            response = super().changelist_view(request, extra_context)
        listed = (getattr(response, "context_data", None) or {}).get("cl")
        formset = getattr(listed, "formset", None)
        asked = formset and asks([*formset.forms], formset.non_form_errors())
        return conflict_page(self, request, None, [], [formset]) if asked else response

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Show the form, or ask about what somebody else has changed meanwhile."""
        main: Any = context["adminform"].form
        formsets = [inline.formset for inline in context["inline_admin_formsets"]]
        rows = [form for formset in formsets for form in formset.forms]
        others = [error for formset in formsets for error in formset.non_form_errors()]
        if main.is_bound and asks([main, *rows], others):
            return conflict_page(self, request, kwargs.get("obj"), [main], formsets)
        return super().render_change_form(request, context, *args, **kwargs)


def _is_writing(request: HttpRequest, model: Any) -> bool:
    """Return whether the view has begun the transaction in which it changes rows."""
    using = router.db_for_write(model)
    return request.method == "POST" and transaction.get_connection(using).in_atomic_block


def _carrying_set(formset: Any, changing: Any) -> Any:
    """Return a class of formsets like ``formset`` that carry what their rows showed."""
    form = carrying(formset.form, RowForm, changing)
    return type(formset.__name__, (CarryingFormSet, formset), {"form": form, "changing": changing})


def asks(forms: list[Any], others: Any = ()) -> bool:
    """Return whether the person is to be asked, and nothing else is wrong with what was sent."""
    return (
        any(form.merge.conflicts for form in forms)
        and all(form.only_conflicts() for form in forms)
        and not others
    )


def conflict_page(
    page: Any, request: HttpRequest, row: Any, mains: list[CarryingForm], formsets: list[Any]
) -> HttpResponse:
    """Return the page that asks, field by field, whose value is to be kept; status 409.

    It sends again what was sent, with the answers, to the same address.
    """
    forms: list[Any] = [*mains, *(form for formset in formsets for form in formset.forms)]
    conflicts = [one for form in forms for one in form.merge.conflicts.values()]
    carried = {form.add_prefix(form.carrier): form.asking().signed(form.about) for form in mains}
    carried |= {f"{formset.prefix}-{CARRIER}": formset.asking() for formset in formsets}
    apart = {"csrfmiddlewaretoken", *carried, *(one.question for one in conflicts)}
    sent = [
        (name, value)
        for name, values in request.POST.lists()
        if name not in apart
        for value in values
    ]
    who = next((str(one.change.by) for one in conflicts if one.change and one.change.by), None)
    subject = row._meta.verbose_name if row else page.opts.verbose_name_plural
    context = {
        **page.admin_site.each_context(request),
        "title": f"{capfirst(who or 'somebody')} changed this {subject} while you had it open"
        if row
        else f"{capfirst(who or 'somebody')} changed {subject} while you had them open",
        "subtitle": str(row) if row else None,
        "opts": page.opts,
        "original": row,
        "who": who,
        "conflicts": conflicts,
        "mine": [line for form in forms for line in _only_mine(form)],
        "theirs": [line for form in forms for line in _only_theirs(form)],
        "sent": [*sent, *carried.items()],
        "files": list(request.FILES),
        "address": request.get_full_path(),
    }
    return TemplateResponse(request, "admin/conflict.html", context, status=409)


def _only_mine(form: Any) -> list[tuple[str, str, str]]:
    return [
        (form[name].label, words(form.fields[name], form.standing(name)), _sent(form, name))
        for name in form.merge.written
    ]


def _sent(form: Any, name: str) -> str:
    return words(form.fields[name], form._mine(name))


def _only_theirs(form: Any) -> list[tuple[str, str, str]]:
    showed = form.shown.values if form.shown else {}
    return [
        (
            form[name].label,
            words_of_short(form.fields[name], showed.get(name)),
            words(form.fields[name], form.standing(name)),
        )
        for name in form.merge.theirs
        if name in showed
    ]
