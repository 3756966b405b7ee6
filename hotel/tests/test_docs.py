"""The pages lead where they say, show commands that exist, and are as the code is."""

import re
import shlex

import pytest
from django.conf import settings

from hotel.migrator.management import reference
from hotel.migrator.management.commands.db import Command

pytestmark = pytest.mark.once

ROOT = settings.BASE_DIR
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def anchors(page):
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@every_page
def test_every_link_leads_somewhere(page):
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", page.read_text()):
        path, _, anchor = target.partition("#")
        other = (page.parent / path).resolve() if path else page
        assert other.exists(), target
        assert not anchor or anchor in anchors(other), target


def test_every_page_is_one_step_from_the_readme():
    links = re.findall(r"\]\((docs/\w+\.md)\)", (ROOT / "README.md").read_text())
    assert {f"docs/{page.name}" for page in PAGES[1:]} <= {*links}


def test_the_readme_fits_a_screen_before_its_links():
    before, found, _ = (ROOT / "README.md").read_text().partition("## From here\n")
    assert found
    assert len(before.splitlines()) <= 40


def test_with_requirements_alone_pytest_skips_what_needs_hypothesis():
    texts = {path: path.read_text() for path in ROOT.glob("*/**/test_*.py")}
    needing = {p for p, text in texts.items() if re.search("^(from|import) hypothesis", text, re.M)}
    skipped = {p for p, text in texts.items() if '\npytest.importorskip("hypothesis"' in text}
    assert needing
    assert needing - skipped == set()


@every_page
def test_every_verb_that_is_shown_is_understood(page):
    parser = Command().create_parser("manage.py", "db")
    shown = re.findall(
        r"^ +(?:\$ )?python manage\.py db (.+?)(?: +#.*| > .*)?$", page.read_text(), re.M
    )
    for words in shown:
        parser.parse_args(shlex.split(words))


def test_what_the_reference_says_of_verbs_and_exit_codes_is_what_the_code_says():
    page = (ROOT / "docs" / "reference.md").read_text()
    assert reference.with_text(page) == page, "make docs"
