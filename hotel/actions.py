"""What staff do with one row: a button on its page, a form that asks for more, and a service."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse

from hotel.admin import BackOfficeAdmin
from hotel.conflicts import asks, conflict_page
from hotel.meanwhile import Change, last_change
from hotel.refusals import Busy, Refused, refusing
from hotel.shown import Text, short, words, words_of_short
from hotel.stale import CarryingForm


class ActionForm(CarryingForm, forms.Form):
    """Asks for what an action needs; ``self.row`` is the row, or None where one is added.

    shows: the columns of the row that fields begin with, by field. Such a field is written only if
    it was typed into, and asked about if somebody else has changed the column meanwhile. figures:
    what the page says beside, which an act rests on; if it is another when the form is sent, the
    page comes back and says so. rests_on: columns that are such figures.
    """

    shows: ClassVar[dict[str, str]] = {}
    rests_on: tuple[str, ...] = ()

    def __init__(
        self,
        *args: Any,
        row: Any = None,
        admin_site: Any = None,
        changing: Any = None,
        rests_on: tuple[str, ...] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.row = row
        self.admin_site = admin_site
        self.changing = changing
        self.rests_on = (*self.rests_on, *rests_on)
        self.moved: list[str] = []
        if row is not None:
            for name, column in self.shows.items():
                field = row._meta.get_field(column)
                self.initial.setdefault(name, getattr(row, field.attname))
        self.prepare()

    def prepare(self) -> None:
        """Fit the fields to the row."""

    @property
    def standing_row(self) -> Any:
        """The row that the act changes; None if it adds one."""
        return self.row

    def column(self, name: str) -> str | None:
        """Return the column of the row that a field shows, or None if it shows none."""
        return self.shows.get(name)

    def figures(self) -> dict[str, Text]:
        """Return what the act rests on, by name and in words."""
        if self.row is None:
            return {}
        fields = [self.row._meta.get_field(column) for column in self.rests_on]
        return {
            str(field.verbose_name): _told(self.row, field)
            for field in fields
            if field.name not in self.shows.values()
        }

    def figures_changed(self) -> Change | None:
        """Return who has changed a figure last, and when."""
        return last_change(self.row)

    def carries(self) -> bool:
        """Return whether there is anything to compare under the lock of the row."""
        return self.row is not None and bool(self.carried() or self.figures())

    def _compare(self) -> None:
        super()._compare()
        if not self.shown:
            return
        now = self.figures()
        for name, before in self.shown.figures.items():
            if name in now and short(now[name]) != before:
                who = self.figures_changed() or "somebody"
                self.moved.append(
                    f"{name[:1].upper()}{name[1:]} was changed by {who}:"
                    f" {words_of_short(None, before)} before, now {words(None, now[name])}."
                )
        if self.moved:
            self.add_error(None, [*self.moved, "Look again, and send it if it is still right."])

    def show_anew(self) -> None:
        """Carry the figures as they stand, so that who has seen them can send the form again."""
        shown = self.shown or self.fresh()
        carried = replace(shown, figures=self.fresh().figures).signed(self.about)
        data: Any = self.data
        self.data = data.copy()
        self.data[self.add_prefix(self.carrier)] = carried  # type: ignore[index]

    def _clean_form(self) -> None:
        super()._clean_form()
        if self.carrier == CarryingForm.carrier:
            self.cleaned_data.pop(self.carrier, None)  # a service knows nothing of it


def _told(row: Any, field: Any) -> Text:
    """Return the value of a column in words."""
    if field.choices:
        return str(getattr(row, f"get_{field.name}_display")())
    value = getattr(row, field.name)
    return None if value is None else str(value)


class DayInput(forms.DateInput):
    """The browser's own field for a date, which shows it as its user writes dates."""

    input_type = "date"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, format="%Y-%m-%d")


class ReasonForm(ActionForm):
    """Why."""

    reason = forms.CharField(widget=forms.Textarea, max_length=500)


@dataclass(frozen=True)
class Action:
    """One button.

    run: ``f(row, by, **what the form asked for)``, a service; it returns the row to show next, or
    None for the same. permission: its codename; with the application, as in
    ``"payments.add_payment"``, if that is not the row's.
    offered: whether the button is of use to the row; what is not allowed, the service refuses.
    done: the sentence that says so, with ``{}`` for the row. rests_on: columns of the row that
    whoever acts must have seen as they are. warns: sentences about the row that came out of it.
    """

    name: str
    label: str
    run: Callable[..., Any]
    done: str
    permission: str
    form: type = ActionForm
    offered: Callable[[Any], bool] = lambda _: True
    help: str = ""
    rests_on: tuple[str, ...] = ()
    warns: Callable[[Any], list[str]] = lambda _: []


class ActingAdmin(BackOfficeAdmin):
    """A page whose rows are changed by services, through buttons.

    row_actions: of a row that stands. adding: in place of Django's form for a new row.
    """

    change_form_template = "admin/change_form_with_actions.html"
    row_actions: tuple[Action, ...] = ()
    adding: Action | None = None

    def get_urls(self) -> list[Any]:
        """Return the addresses of Django's pages and of the actions."""
        view = self.admin_site.admin_view(self.action_view)
        name = f"{self.opts.app_label}_{self.opts.model_name}_action"
        return [
            path("<path:object_id>/do/<slug:action_name>/", view, name=name),
            *super().get_urls(),
        ]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Ask for a new row and let the service make it."""
        if not self.adding:
            return super().add_view(request, form_url, extra_context)
        if not self.has_add_permission(request):
            raise PermissionDenied
        return self._act(request, self.adding, None)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show a row, and the buttons for what this user may do with it now."""
        row = self.get_object(request, unquote(object_id))
        offered = [
            (action.label, self._address(row, action), action.name)
            for action in self.row_actions
            if row and self._may(request, action) and action.offered(row)
        ]
        beside = self.beside(request, row) if row else {}
        context = {**(extra_context or {}), **beside, "row_actions": offered}
        return super().change_view(request, object_id, form_url, context)

    def beside(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """Return what the page of a row shows beside its form, for its template."""
        return {}

    def action_view(self, request: HttpRequest, object_id: str, action_name: str) -> HttpResponse:
        """Ask for what the action needs, and do it."""
        actions = {action.name: action for action in self.row_actions}
        if action_name not in actions:
            raise Http404(f"There is no action {action_name}.")
        action = actions[action_name]
        if not self._may(request, action):
            raise PermissionDenied
        row = self.get_object(request, unquote(object_id))
        if row is None:
            missing: HttpResponse = self._get_obj_does_not_exist_redirect(  # type: ignore[attr-defined]  # not in the stubs
                request, self.opts, object_id
            )
            return missing
        return self._act(request, action, row)

    def _may(self, request: HttpRequest, action: Action) -> bool:
        app, _, codename = action.permission.rpartition(".")
        return request.user.has_perm(f"{app or self.opts.app_label}.{codename}")

    def _address(self, row: Any, action: Action) -> str:
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_action"
        return reverse(name, args=[row.pk, action.name])

    def lock(self, row: Any) -> Any:
        """Return the row as it is now, and let nobody else change it; None if it is gone.

        Before it come the locks that the services of this model take first.
        """
        return self.model._base_manager.select_for_update(of=("self",)).filter(pk=row.pk).first()

    def _form(self, request: HttpRequest, action: Action, row: Any, posted: Any) -> Any:
        """Return the form of an action; the address may fill in what a new row begins with."""
        known = {} if row else {name: request.GET[name] for name in request.GET}
        return action.form(
            posted,
            initial=known,
            row=row,
            admin_site=self.admin_site,
            changing=request.user,
            rests_on=action.rests_on,
        )

    def _act(self, request: HttpRequest, action: Action, row: Any) -> HttpResponse:
        if request.method == "POST":
            return self._send(request, action, row)
        return self._page(request, action, row, self._form(request, action, row, None))

    def _send(self, request: HttpRequest, action: Action, row: Any) -> HttpResponse:
        """Do what the form asks for, or show it again with the reason why not.

        All of it is one transaction. Raises Busy on the first try: see ``BusyMiddleware``.
        """
        form = self._form(request, action, row, request.POST)
        try:
            with refusing():
                if form.carries():
                    row = self.lock(row)
                    if row is None:
                        raise Refused(f"This {self.opts.verbose_name} was deleted meanwhile.")
                    form = self._form(request, action, row, request.POST)
                if not form.is_valid():
                    return self._refusal(request, action, row, form)
                target = [row] if row else []
                shown = action.run(*target, by=request.user, **form.cleaned_data) or row
                note = f"{action.label}."
                (self.log_change if row else self.log_addition)(request, shown, note)
        except Refused as refusal:
            if isinstance(refusal, Busy) and not hasattr(request, "is_second_try"):
                raise
            form.errors  # noqa: B018 - an error can be added to what has been looked at
            form.add_error(None, str(refusal))
            return self._page(request, action, row, form)
        self.message_user(request, action.done.format(shown), messages.SUCCESS)
        for sentence in action.warns(shown):
            self.message_user(request, sentence, messages.WARNING)
        opts = shown._meta
        page = f"admin:{opts.app_label}_{opts.model_name}_change"
        return HttpResponseRedirect(reverse(page, args=[shown.pk]))

    def _refusal(
        self, request: HttpRequest, action: Action, row: Any, form: ActionForm
    ) -> HttpResponse:
        """Return the page that says what is wrong with a form, or what has changed meanwhile."""
        if asks([form], form.moved):
            return conflict_page(self, request, row, [form], [])
        if not form.moved:
            return self._page(request, action, row, form)
        form.show_anew()
        return self._page(request, action, row, form, status=409)

    def _page(
        self, request: HttpRequest, action: Action, row: Any, form: Any, status: int = 200
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": action.label,
            "subtitle": str(row) if row else None,
            "opts": self.opts,
            "original": row,
            "action": action,
            "form": form,
            "media": self.media + form.media,
        }
        return TemplateResponse(request, "admin/row_action.html", context, status=status)
