"""Who gets which page of the back office: every role and every address."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.urls import URLResolver, reverse

from accounts.tests.back_office import OWNER, browser, member, one_of_each
from hotel.desk.acts import ACTS as ONE_PRESS

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
reservations.guestmerge       v      v        -           -             -           -
reservations.guestimage       v      v        -           -             v           v
reservations.discount         v      v        -           -             v           v
reservations.bookingchannel   v      v        -           -             v           v
reservations.reservation      vac    vac      vac         -             v           v
reservations.staypart         v      v        v           -             v           v
payments.payment              v      v        v           -             v           v
payments.depositmovement      v      v        v           -             v           v
payments.charge               v      v        v           -             v           v
payments.chargeevent          v      v        v           -             v           v
rooms.event                   v      v        v           -             v           v
reservations.event            v      v        v           -             v           v
payments.event                v      v        v           -             v           v
payments.paymentattachment    v      v        -           -             v           v
payments.expense              vac    vac      -           -             vac         v
dashboard.setting             v      v        -           -             v           v
dashboard.dailymetrics        v      v        -           -             v           v
dashboard.businessday         va     va       -           -             v           v
dashboard.event               v      v        -           -             v           v
dashboard.dailyadjustment     v      v        -           -             v           v
"""
MAY = {line.split()[0]: line.split()[1:] for line in TABLE.strip().splitlines()[1:]}

# Pages that are of no table, and whether a role gets them.
PAGES = """
                              Owner  Manager  Front desk  Housekeeping  Accounting  Read-only
index                         y      y        y           y             y           y
tables                        y      y        -           -             y           y
calendar                      y      y        y           -             y           y
housekeeping                  y      y        y           y             -           -
search                        y      y        y           -             y           y
metrics                       y      y        -           -             y           y
exemptions                    y      y        y           y             y           y
journal                       y      -        -           -             -           -
drift                         y      -        -           -             -           -
password_change               y      y        y           y             y           y
"""
PAGES = {line.split()[0]: line.split()[1:] for line in PAGES.strip().splitlines()[1:]}
# What a role may do to a stay by one press on Today.
PRESSES = """
                              Owner  Manager  Front desk  Housekeeping  Accounting  Read-only
check-in                      y      y        y           -             -           -
check-out                     y      y        y           -             -           -
confirm                       y      y        y           -             -           -
undo-check-in                 y      y        y           -             -           -
undo-check-out                y      y        y           -             -           -
"""
PRESSES = {line.split()[0]: line.split()[1:] for line in PRESSES.strip().splitlines()[1:]}
FOR_EVERYBODY = {"login", "logout", "password_change_done", "jsi18n"} | {
    "autocomplete",  # by what is chosen among: see below
    "view_on_site",  # of nothing here
    "app_list",  # of an application, as far as its tables may be looked at
}
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
    own.remove("dashboard.sentform")  # nobody's to look at
    assert registered == own | {"auth.group", "axes.accessattempt"}
    assert set(MAY) == registered


@pytest.mark.once
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


def test_all_tables_lists_what_a_role_may_view(db):
    for role in ROLES:
        if PAGES["tables"][ROLES.index(role)] != "y":
            continue
        response = browser(member(role)).get(reverse("admin:tables"))
        listed = {
            model["model"]._meta.label_lower
            for app in response.context["app_list"]
            for model in app["models"]
            if "model" in model  # the pages of figures and exemptions have none
        }
        assert listed == {m for m, letters in MAY.items() if letters[ROLES.index(role)] != "-"}


def test_the_tables_name_every_page_of_the_site():
    named, of_rows = set(), set()
    for pattern in admin.site.get_urls():
        if isinstance(pattern, URLResolver):
            names = {inner.name for inner in pattern.url_patterns if inner.name}
            of_rows |= {name.rpartition("_")[2] for name in names}
        elif pattern.name:
            named.add(pattern.name)
    assert of_rows == {"changelist", "action"} | set(LETTERS) - {"list"}
    assert named == {*PAGES, *FOR_EVERYBODY, "press"}


@pytest.mark.parametrize("role", ROLES)
def test_a_role_gets_the_pages_that_are_of_no_table(db, role):
    pages = {name: reverse(f"admin:{name}") for name in PAGES}
    assert statuses(browser(member(role)), pages) == {
        name: 200 if letters[ROLES.index(role)] == "y" else 403 for name, letters in PAGES.items()
    }


@pytest.mark.parametrize("role", ROLES)
def test_a_role_presses_what_it_may_and_nothing_by_a_mere_look(db, role):
    undone = {f"undo-{name}" for name, act in ONE_PRESS.items() if act.undo}
    assert set(PRESSES) == {*ONE_PRESS} | undone
    stay = one_of_each()["reservations.reservation"]
    pages = {name: reverse("admin:press", args=[stay.pk, name]) for name in PRESSES}
    client = browser(member(role))
    answers = {name: client.post(address).status_code for name, address in pages.items()}
    assert answers == {
        name: 302 if letters[ROLES.index(role)] == "y" else 403 for name, letters in PRESSES.items()
    }
    assert statuses(client, pages) == dict.fromkeys(pages, 405)


@pytest.mark.parametrize("role", ROLES)
def test_no_page_leads_where_its_reader_may_not_go(db, role):
    client = browser(member(role))
    page = client.get(reverse("admin:index"))
    ways = {w["address"] for group in page.context["groups_of_ways"] for w in group["ways"]}
    assert statuses(client, {address: address for address in ways}) == dict.fromkeys(ways, 200)


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
