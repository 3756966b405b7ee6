"""The rows that need not keep a rule, because they broke it before: a page, and a list filter."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.http import urlencode

from hotel.migrator.constraints import Rule


def rules_of(model: type[Model]) -> dict[str, Rule]:
    """Return the rules of ``model`` by name."""
    return {rule.name: rule for rule in model._meta.constraints if isinstance(rule, Rule)}


class ExemptionFilter(admin.SimpleListFilter):
    """Filters a list by the rule that its rows are exempt from."""

    title = "exemption"
    parameter_name = "exempt_from"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the rules with the sentences that staff know them by."""
        rules = rules_of(model_admin.model).items()
        return [(name, str(rule.get_violation_error_message())) for name, rule in rules]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return the exempt rows; all, if no rule of the model is named."""
        if self.value() not in dict(self.lookup_choices):
            return queryset
        return queryset.filter(exemptions__isnull=False, exemptions__has_key=self.value())


def exempt(model: type[Model]) -> list[tuple[Rule, int]]:
    """Return ``[(rule, number of rows), …]`` of the rules of ``model`` that exempt any row."""
    rules = rules_of(model)
    counts = model._default_manager.filter(exemptions__isnull=False).aggregate(
        **{name: Count("pk", filter=Q(exemptions__has_key=name)) for name in rules}
    )
    return [(rule, counts[name]) for name, rule in rules.items() if counts[name]]


class ExemptionsPage(admin.AdminSite):
    """A part of the admin site: the page that lists rules, how many rows each exempts, and where.

    Everybody sees what is exempt of the models they may see.
    """

    def get_urls(self) -> list[Any]:
        """Return the addresses of the site, this page included."""
        view = self.admin_view(self.exemptions_view)
        return [path("exemptions/", view, name="exemptions"), *super().get_urls()]

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """Return what the index and the sidebar list, this page included."""
        app_list = super().get_app_list(request, app_label)
        if app_label or not app_list:
            return app_list
        address = reverse("admin:exemptions")
        page = {
            "name": "Exemptions",
            "object_name": "Exemption",
            "admin_url": address,
            "add_url": None,
            "view_only": True,
        }
        rules = {"name": "Rules", "app_label": "rules", "app_url": address, "models": [page]}
        return [*app_list, rules]

    def exemptions_view(self, request: HttpRequest) -> HttpResponse:
        """Show the rules, the rows that are exempt from them, and what would mend these."""
        rows = []
        for model, model_admin in self._registry.items():
            if rules_of(model) and model_admin.has_view_permission(request):
                address = reverse(
                    f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"
                )
                rows += [
                    (
                        model._meta.verbose_name_plural,
                        rule,
                        count,
                        f"{address}?{urlencode({ExemptionFilter.parameter_name: rule.name})}",
                    )
                    for rule, count in exempt(model)
                ]
        context = {**self.each_context(request), "title": "Exemptions", "rows": rows}
        return TemplateResponse(request, "admin/exemptions.html", context)
