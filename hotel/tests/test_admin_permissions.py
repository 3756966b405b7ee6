"""Who gets which page of the back office: every role and every address."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.urls import reverse

from accounts.tests.back_office import OWNER, browser, member, one_of_each

pytestmark = pytest.mark.once

OWN_APPS = ("accounts", "dashboard", "rooms", "reservations", "payments")
ROLES = [OWNER, "Manager", "Front desk", "Housekeeping", "Accounting", "Read-only"]

# What a role may do with the rows of a model: view, add, change, delete.
TABLE = """
                              Owner  Manager  Front desk  Housekeeping  Accounting  Read-only
accounts.user                 vac    v        -           -             -           -
accounts.permissiongrant      v      v        -           -             -           -
auth.group                    vacd   v        -           -             -           -
axes.accessattempt            vd     vd       -           -             -           -
rooms.roomtype                vacd   vacd     v           -             v           v
rooms.room                    vacd   vacd     v           v             v           v
rooms.roomblock               v      v        v           v             v           v
rooms.roomtypeimage           v      v        -           -             v           v
rooms.roomimage               v      v        -           -             v           v
reservations.guest            vacd   vacd     vac         -             v           v
reservations.guestimage       v      v        -           -             v           v
reservations.discount         v      v        -           -             v           v
reservations.bookingchannel   v      v        -           -             v           v
reservations.reservation      vac    vac      vac         -             v           v
payments.payment              v      v        v           -             v           v
payments.depositmovement      v      v        v           -             v           v
rooms.event                   v      v        v           -             v           v
reservations.event            v      v        v           -             v           v
payments.event                v      v        v           -             v           v
payments.paymentattachment    v      v        -           -             v           v
payments.expense              vac    vac      -           -             vac         v
dashboard.setting             v      v        -           -             v           v
dashboard.dailymetrics        v      v        -           -             v           v
"""
MAY = {line.split()[0]: line.split()[1:] for line in TABLE.strip().splitlines()[1:]}
LETTERS = {"list": "v", "add": "a", "change": "v", "delete": "d", "history": "v"}


def addresses(rows):
    """Return the address of every page by model and page."""
    found = {}
    for label, row in rows.items():
        name = f"admin:{label.replace('.', '_')}"
        found[label, "list"] = reverse(f"{name}_changelist")
        found[label, "add"] = reverse(f"{name}_add")
        for page in ("change", "delete", "history"):
            found[label, page] = reverse(f"{name}_{page}", args=[row.pk])
    return found


def foreign_keys():
    """Return every foreign key of this project as ``(model, field, model referred to)``."""
    return [
        (model._meta.label_lower, field.name, field.related_model._meta.label_lower)
        for model in apps.get_models()
        if model._meta.app_label in OWN_APPS
        for field in model._meta.local_fields
        if field.many_to_one and field.related_model in admin.site._registry
    ]


def autocomplete(model, field):
    app, _, name = model.partition(".")
    return f"{reverse('admin:autocomplete')}?app_label={app}&model_name={name}&field_name={field}"


def statuses(client, addresses):
    return {key: client.get(address).status_code for key, address in addresses.items()}


def test_the_table_names_every_model():
    registered = {model._meta.label_lower for model in admin.site._registry}
    own = {m._meta.label_lower for m in apps.get_models() if m._meta.app_label in OWN_APPS}
    assert registered == own | {"auth.group", "axes.accessattempt"}
    assert set(MAY) == registered


@pytest.mark.parametrize("role", ROLES)
def test_a_role_gets_its_pages_and_no_other(db, role):
    pages = addresses(one_of_each())
    may = {model: letters[ROLES.index(role)] for model, letters in MAY.items()}
    client = browser(member(role))
    assert statuses(client, pages) == {
        (model, page): 200 if LETTERS[page] in may[model] else 403 for model, page in pages
    }


@pytest.mark.parametrize("role", ROLES)
def test_a_role_chooses_among_what_it_may_view(db, role):
    may = {model: letters[ROLES.index(role)] for model, letters in MAY.items()}
    keys = {key: autocomplete(*key[:2]) for key in foreign_keys()}
    assert statuses(browser(member(role)), keys) == {
        key: 200 if "v" in may[key[2]] else 403 for key in keys
    }


@pytest.mark.parametrize("role", ROLES)
def test_a_role_posts_only_where_it_may_change(db, role):
    rows = one_of_each()
    may = {model: letters[ROLES.index(role)] for model, letters in MAY.items()}
    client = browser(member(role))
    posts = {
        key: address
        for key, address in addresses(rows).items()
        if (key[1] == "change" and "c" not in may[key[0]])
        or (key[1] in ("add", "delete") and LETTERS[key[1]] not in may[key[0]])
    }
    answers = {
        key: client.post(address, {"post": "yes"}).status_code for key, address in posts.items()
    }
    assert answers == dict.fromkeys(posts, 403)
    assert all(type(row).objects.filter(pk=row.pk).exists() for row in rows.values())


def test_the_index_lists_what_a_role_may_view(db):
    for role in ROLES:
        response = browser(member(role)).get(reverse("admin:index"))
        listed = {
            model["model"]._meta.label_lower
            for app in response.context["app_list"]
            for model in app["models"]
            if "model" in model  # the pages of figures and exemptions have none
        }
        assert listed == {m for m, letters in MAY.items() if letters[ROLES.index(role)] != "-"}


@pytest.mark.parametrize("who", ["nobody", "inactive", "does not work here"])
def test_others_are_sent_to_the_log_in_page(db, who):
    user = None
    if who != "nobody":
        user = member(OWNER)
        user.is_active = who != "inactive"
        user.is_staff = who != "does not work here"
    client = browser(user)
    if user:
        user.save()
    pages = addresses(one_of_each())
    pages.update({key: autocomplete(*key[:2]) for key in foreign_keys()})
    pages["index"] = reverse("admin:index")
    for address in pages.values():
        response = client.get(address)
        assert response.status_code == 302
        assert response.url.startswith(reverse("admin:login") + "?next=/admin/")
