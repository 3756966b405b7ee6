"""Operations and models of an app whose history forks."""

MODELS = """
class Room(models.Model):
    id = models.AutoField(primary_key=True, serialize=False)
    number = models.CharField(max_length=20)
    floor = models.IntegerField(null=True)
"""


ROOM = """
operations.CreateModel(
    "Room",
    [
        ("id", models.AutoField(primary_key=True, serialize=False)),
        ("number", models.CharField(max_length=20)),
        ("floor", models.IntegerField(null=True)),
    ],
)
"""


VIEW = 'operations.AddField("room", "view", models.TextField(null=True))'


WING = 'operations.AddField("room", "wing", models.TextField(null=True))'


FIRST = [("annexe", "0001_initial")]
