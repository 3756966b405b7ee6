"""What Django fails at when a plan is looked at is a warning; the run says what fails."""

import pytest

from hotel.migrator.tests.looking import looked

BILL = """
migrations.CreateModel("Bill", [
    ("id", models.AutoField(primary_key=True)),
    ("sum", models.IntegerField(null=True, db_column="su$m")),
], options={"db_table": "bill$s"})
"""
CODE = """
from django.db import NotSupportedError

class Odd(models.IntegerField):
    def db_parameters(self, connection):
        raise RuntimeError("no type")

class Nowhere(models.Func):
    output_field = models.BooleanField()

    def as_sql(self, compiler, connection):
        raise NotSupportedError("not on this engine")

def fails():
    raise LookupError("no default")
"""


def check(condition):
    return (
        'migrations.AddConstraint("bill",'
        f' models.CheckConstraint(condition={condition}, name="rule"))'
    )


FAILING = {
    "lookup": (
        check("models.Q(sum__nix=0)"),
        "Create constraint rule on model bill",
        "FieldError: Unsupported lookup 'nix' for IntegerField or join on the field not permitted",
    ),
    "value": (
        check("models.Q(sum='x')"),
        "Create constraint rule on model bill",
        "ValueError: Field 'sum' expected a number but got 'x'",
    ),
    "expression": (
        check("Nowhere('sum')"),
        "Create constraint rule on model bill",
        "NotSupportedError: not on this engine",
    ),
    "default": (
        'migrations.AddField("bill", "more", models.IntegerField(default=fails))',
        "Add field more to bill",
        "LookupError: no default",
    ),
    "type": (
        'migrations.AlterField("bill", "sum", Odd(null=True, db_column="su$m"))',
        "Alter field sum on bill",
        "RuntimeError: no type",
    ),
    "dollar": (
        'migrations.AddConstraint("bill", models.UniqueConstraint(fields=["sum"],'
        ' condition=models.Q(sum__gt=0), name="rule"))',
        "Create constraint rule on model bill",
        "ValueError: Dollar signs are not permitted in column aliases on PostgreSQL",
    ),
}


@pytest.fixture
def bills(annexe, history):
    """A table with a dollar sign in its name, and a row."""
    annexe.write("0001_initial", BILL).migrate()
    history.insert("bill$s", **{"su$m": 1})
    return annexe


@pytest.mark.parametrize(
    "case",
    [pytest.param(one, marks=pytest.mark.postgresql if one == "dollar" else ()) for one in FAILING],
)
def test_what_django_cannot_ask_is_left_to_the_run(bills, project, case):
    operation, described, said = FAILING[case]
    bills.write("0002_change", operation, code=CODE)
    assert [one.line() for one in looked()] == [
        f"Warning: annexe.0002_change ({described}) cannot be looked at beforehand: {said}."
        " manage.py db upgrade says it again if it fails there."
    ]
    assert project.manage("db", "upgrade", "--plan").returncode == 0
    done = project.manage("db", "upgrade")
    failure = done.stderr.splitlines()[-1]
    assert done.returncode == 5
    # Django's own words for an error of a driver's kind have no name of a class before them.
    assert f"annexe.0002_change ({described}) failed: " in failure
    assert f"{said.removeprefix('NotSupportedError: ')}. It changed nothing." in failure


def test_unique_together_of_no_field_is_left_to_the_run(bills, project):
    bills.write("0002_change", 'migrations.AlterUniqueTogether("bill", {("sum", "nix")})')
    assert looked() == []
    done = project.manage("db", "upgrade")
    assert done.stderr.splitlines()[-1] == (
        "annexe.0002_change (Alter unique_together for bill (1 constraint(s))) failed:"
        " FieldDoesNotExist: Bill has no field named 'nix'. It changed nothing. Mend the"
        " migration, then run the same command again. --traceback shows where."
    )
    assert done.returncode == 5


def test_what_a_check_cannot_ask_hides_nothing_else(bills):
    bills.write(
        "0002_change",
        'migrations.RemoveField("bill", "sum"), '
        'migrations.AddField("bill", "more", models.IntegerField(default=fails)), '
        'migrations.AddField("bill", "other", models.IntegerField())',
        code=CODE,
    )
    assert [(one.kind, one.refuses) for one in looked()] == [
        ("dropped", True),
        ("unreadable", False),
        ("null", True),
    ]
