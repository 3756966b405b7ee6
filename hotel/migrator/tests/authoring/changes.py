"""Changes of models that the autodetector finds, each with what it says of them."""

import pytest

MODELS = """
class Room(models.Model):
    number = models.CharField(max_length=10)

class Guest(models.Model):
    name = models.CharField(max_length=50)
    nights = models.CharField(max_length=10)
    rate = models.DecimalField(max_digits=8, decimal_places=2)
    email = models.CharField(max_length=50, null=True)
    room = models.ForeignKey(Room, models.CASCADE)
    # columns

    class Meta:
        indexes = []
        constraints = []
# models
"""


ROOMS = [{"id": 1, "number": "101"}, {"id": 2, "number": "102"}]


GUESTS = [
    {"id": 1, "name": "Ayu", "nights": "3", "rate": "100.10", "email": None, "room_id": 2},
    {"id": 2, "name": "Budi", "nights": "12", "rate": "99.99", "email": "b@x.id", "room_id": 1},
]


def change(name, old, new, *detected, answers=()):
    """Edit ``old`` into ``new``; ``makemigrations`` then prints ``detected``."""
    return pytest.param(
        MODELS, MODELS.replace(old, new), answers, list(detected), id=name.replace(" ", "-")
    )


def undo(name, old, new, *detected, answers=()):
    """Edit ``new`` back into ``old``."""
    return pytest.param(
        MODELS.replace(old, new), MODELS, answers, list(detected), id=name.replace(" ", "-")
    )


def between(name, old, first, second, *detected, answers=()):
    """Edit ``old``, which is ``first`` by now, into ``second``."""
    models = MODELS.replace(old, first), MODELS.replace(old, second)
    return pytest.param(*models, answers, list(detected), id=name.replace(" ", "-"))


INVOICE = """
class Invoice(models.Model):
    guest = models.ForeignKey(Guest, models.CASCADE)
    total = models.DecimalField(max_digits=8, decimal_places=2)
"""


ONE_OFF = ["1", "'none'"]  # "Provide a one-off default now", and the default


SCHEMA = [
    # Tables
    change("add a table", "# models", INVOICE, "+ Create model Invoice"),
    undo("remove a table", "# models", INVOICE, "- Delete model Invoice"),
    change(
        "change the name of a table in the database",
        "indexes = []",
        "db_table = 'visitors'",
        "~ Rename table for guest to visitors",
    ),
    # Columns
    change(
        "add a nullable column",
        "# columns",
        "phone = models.CharField(max_length=20, null=True)",
        "+ Add field phone to guest",
    ),
    change(
        "add a column with a database default",
        "# columns",
        "vip = models.BooleanField(db_default=False)",
        "+ Add field vip to guest",
    ),
    change(
        "add a column with a default in Python",
        "# columns",
        "adults = models.IntegerField(default=1)",
        "+ Add field adults to guest",
    ),
    change(
        "add a required column with a one-off default",
        "# columns",
        "phone = models.CharField(max_length=20)",
        "+ Add field phone to guest",
        answers=ONE_OFF,
    ),
    undo(
        "remove a nullable column",
        "# columns",
        "phone = models.CharField(max_length=20, null=True)",
        "- Remove field phone from guest",
    ),
    change(
        "remove a required column",
        "    nights = models.CharField(max_length=10)\n",
        "",
        "- Remove field nights from guest",
    ),
    change(
        "remove a foreign key",
        "    room = models.ForeignKey(Room, models.CASCADE)\n",
        "",
        "- Remove field room from guest",
    ),
    # Types
    change(
        "lengthen text",
        "email = models.CharField(max_length=50",
        "email = models.CharField(max_length=100",
        "~ Alter field email on guest",
    ),
    change(
        "short text to long text",
        "name = models.CharField(max_length=50)",
        "name = models.TextField()",
        "~ Alter field name on guest",
    ),
    change(
        "text to number",
        "nights = models.CharField(max_length=10)",
        "nights = models.IntegerField()",
        "~ Alter field nights on guest",
    ),
    change(
        "widen money",
        "max_digits=8, decimal_places=2",
        "max_digits=14, decimal_places=4",
        "~ Alter field rate on guest",
    ),
    change(
        "integer key to big integer key, with the foreign keys that point to it",
        "class Room(models.Model):",
        "class Room(models.Model):\n    id = models.BigAutoField(primary_key=True)",
        "~ Alter field id on room",
    ),
    # NULL and defaults
    change(
        "allow NULL",
        "nights = models.CharField(max_length=10)",
        "nights = models.CharField(max_length=10, null=True)",
        "~ Alter field nights on guest",
    ),
    undo(
        "forbid NULL",
        "nights = models.CharField(max_length=10)",
        "nights = models.CharField(max_length=10, null=True)",
        "~ Alter field nights on guest",
        answers=ONE_OFF,
    ),
    change(
        "add a database default",
        "nights = models.CharField(max_length=10)",
        "nights = models.CharField(max_length=10, db_default='1')",
        "~ Alter field nights on guest",
    ),
    undo(
        "remove a database default",
        "nights = models.CharField(max_length=10)",
        "nights = models.CharField(max_length=10, db_default='1')",
        "~ Alter field nights on guest",
    ),
    change(
        "add a generated column",
        "# columns",
        "twice = models.GeneratedField("
        "expression=models.F('rate') * 2, output_field=models.FloatField(), db_persist=True)",
        "+ Add field twice to guest",
    ),
    undo(
        "remove a generated column",
        "# columns",
        "twice = models.GeneratedField("
        "expression=models.F('rate') * 2, output_field=models.FloatField(), db_persist=True)",
        "- Remove field twice from guest",
    ),
    # Indexes
    change(
        "add an index",
        "indexes = []",
        "indexes = [models.Index(fields=['name', '-rate'], name='guest_name_idx')]",
        "+ Create index guest_name_idx on field(s) name, -rate of model guest",
    ),
    undo(
        "remove an index",
        "indexes = []",
        "indexes = [models.Index(fields=['name'], name='guest_name_idx')]",
        "- Remove index guest_name_idx from guest",
    ),
    change(
        "add an index on part of the rows",
        "indexes = []",
        "indexes = [models.Index('name', name='some_idx', condition=models.Q(nights='3'))]",
        "+ Create index some_idx on F(name) on model guest",
    ),
    change(
        "add an index on an expression",
        "indexes = []",
        "indexes = [models.Index(Lower('name'), name='lower_idx')]",
        "+ Create index lower_idx on Lower(F(name)) on model guest",
    ),
    change(
        "add an index with the column",
        "nights = models.CharField(max_length=10)",
        "nights = models.CharField(max_length=10, db_index=True)",
        "~ Alter field nights on guest",
    ),
    between(
        "rename an index",
        "indexes = []",
        "indexes = [models.Index(fields=['name'], name='old_idx')]",
        "indexes = [models.Index(fields=['name'], name='new_idx')]",
        "~ Rename index old_idx on guest to new_idx",
    ),
    # Constraints
    change(
        "add a unique constraint",
        "constraints = []",
        "constraints = [models.UniqueConstraint(fields=['name', 'room'], name='guest_once')]",
        "+ Create constraint guest_once on model guest",
    ),
    undo(
        "remove a unique constraint",
        "constraints = []",
        "constraints = [models.UniqueConstraint(fields=['name', 'room'], name='guest_once')]",
        "- Remove constraint guest_once from model guest",
    ),
    change(
        "add a unique constraint on part of the rows",
        "constraints = []",
        "constraints = [models.UniqueConstraint("
        "fields=['name'], condition=models.Q(nights='3'), name='guest_once')]",
        "+ Create constraint guest_once on model guest",
    ),
    change(
        "make a column unique",
        "name = models.CharField(max_length=50)",
        "name = models.CharField(max_length=50, unique=True)",
        "~ Alter field name on guest",
    ),
    undo(
        "let a column repeat",
        "name = models.CharField(max_length=50)",
        "name = models.CharField(max_length=50, unique=True)",
        "~ Alter field name on guest",
    ),
    change(
        "make columns unique together",
        "indexes = []",
        "unique_together = [('name', 'room')]",
        "~ Alter unique_together for guest (1 constraint(s))",
    ),
    undo(
        "let columns repeat together",
        "indexes = []",
        "unique_together = [('name', 'room')]",
        "~ Alter unique_together for guest (0 constraint(s))",
    ),
    change(
        "add a check constraint",
        "constraints = []",
        "constraints = [models.CheckConstraint(condition=models.Q(rate__gte=0), name='rate_ok')]",
        "+ Create constraint rate_ok on model guest",
    ),
    undo(
        "remove a check constraint",
        "constraints = []",
        "constraints = [models.CheckConstraint(condition=models.Q(rate__gte=0), name='rate_ok')]",
        "- Remove constraint rate_ok from model guest",
    ),
    change(
        "change a check constraint",
        "constraints = []",
        "constraints = [models.CheckConstraint(condition=models.Q(rate__gt=0), name='rate_ok')]",
        "+ Create constraint rate_ok on model guest",
    ),
    # Foreign keys
    change(
        "add a foreign key",
        "# columns",
        "next_room = models.ForeignKey(Room, models.SET_NULL, null=True, related_name='+')",
        "+ Add field next_room to guest",
    ),
    undo(
        "foreign key without a constraint gets one",
        "room = models.ForeignKey(Room, models.CASCADE)",
        "room = models.ForeignKey(Room, models.CASCADE, db_constraint=False)",
        "~ Alter field room on guest",
    ),
    change(
        "foreign key loses its constraint",
        "room = models.ForeignKey(Room, models.CASCADE)",
        "room = models.ForeignKey(Room, models.CASCADE, db_constraint=False)",
        "~ Alter field room on guest",
    ),
    change(
        "foreign key to one to one",
        "models.ForeignKey(Room, models.CASCADE)",
        "models.OneToOneField(Room, models.CASCADE)",
        "~ Alter field room on guest",
    ),
    between(
        "number to foreign key",
        "# columns",
        "other = models.IntegerField(null=True)",
        "other = models.ForeignKey(Room, models.SET_NULL, null=True, related_name='+')",
        "~ Alter field other on guest",
    ),
    between(
        "point a foreign key to another table",
        "# columns",
        "other = models.ForeignKey(Room, models.SET_NULL, null=True, related_name='+')",
        "other = models.ForeignKey('self', models.SET_NULL, null=True, related_name='+')",
        "~ Alter field other on guest",
    ),
    change(
        "add a many-to-many table",
        "# columns",
        "wishes = models.ManyToManyField(Room, related_name='+')",
        "+ Add field wishes to guest",
    ),
    undo(
        "remove a many-to-many table",
        "# columns",
        "wishes = models.ManyToManyField(Room, related_name='+')",
        "- Remove field wishes from guest",
    ),
    # Renames
    change(
        "rename a column",
        "name = models",
        "full_name = models",
        "~ Rename field name on guest to full_name",
        answers=["y"],
    ),
    change(
        "rename a foreign key",
        "room = models.ForeignKey",
        "suite = models.ForeignKey",
        "~ Rename field room on guest to suite",
        answers=["y"],
    ),
    change(
        "rename a table that others refer to",
        "Room",
        "Suite",
        "~ Rename model Room to Suite",
        answers=["y"],
    ),
    change(
        "change the name of a column in the database",
        "name = models.CharField(max_length=50)",
        "name = models.CharField(max_length=50, db_column='full_name')",
        "~ Alter field name on guest",
    ),
]


STATE_ONLY = [
    change(
        "what happens on delete",
        "models.CASCADE",
        "models.PROTECT",
        "~ Alter field room on guest",
    ),
    change(
        "default in Python",
        "nights = models.CharField(max_length=10)",
        "nights = models.CharField(max_length=10, default='1')",
        "~ Alter field nights on guest",
    ),
    change(
        "choices",
        "nights = models.CharField(max_length=10)",
        "nights = models.CharField(max_length=10, choices=[('1', 'one')])",
        "~ Alter field nights on guest",
    ),
    change(
        "verbose name and ordering",
        "indexes = []",
        "verbose_name = 'visitor'; ordering = ['name']",
        "~ Change Meta options on guest",
    ),
]
