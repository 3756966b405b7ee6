"""What staff do with one row: a button on its page, a form that asks for more, and a service."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse

from hotel.admin import BackOfficeAdmin
from hotel.refusals import Refused


class ActionForm(forms.Form):
    """Asks for what an action needs; ``self.row`` is the row, or None where one is added."""

    def __init__(self, *args: Any, row: Any = None, admin_site: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.row = row
        self.admin_site = admin_site
        self.prepare()

    def prepare(self) -> None:
        """Fit the fields to the row."""


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
    done: the sentence that says so, with ``{}`` for the row.
    """

    name: str
    label: str
    run: Callable[..., Any]
    done: str
    permission: str
    form: type = ActionForm
    offered: Callable[[Any], bool] = lambda _: True
    help: str = ""


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
            (action.label, self._address(row, action))
            for action in self.row_actions
            if row and self._may(request, action) and action.offered(row)
        ]
        return super().change_view(
            request, object_id, form_url, {**(extra_context or {}), "row_actions": offered}
        )

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

    def _act(self, request: HttpRequest, action: Action, row: Any) -> HttpResponse:
        posted = request.POST if request.method == "POST" else None
        form = action.form(posted, row=row, admin_site=self.admin_site)
        if posted is not None and form.is_valid():
            try:
                with transaction.atomic():
                    target = [row] if row else []
                    shown = action.run(*target, by=request.user, **form.cleaned_data) or row
                    note = f"{action.label}."
                    (self.log_change if row else self.log_addition)(request, shown, note)
            except Refused as refusal:
                form.add_error(None, str(refusal))
            else:
                self.message_user(request, action.done.format(shown), messages.SUCCESS)
                opts = shown._meta
                page = f"admin:{opts.app_label}_{opts.model_name}_change"
                return HttpResponseRedirect(reverse(page, args=[shown.pk]))
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
        return TemplateResponse(request, "admin/row_action.html", context)
