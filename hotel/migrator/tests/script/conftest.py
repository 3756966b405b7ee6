"""What tests of scripts share."""

import pytest


@pytest.fixture
def notes(annexe, history):
    """An app with the table ``annexe_note``; what follows its first migration is of interest."""
    annexe.write(
        "0001_initial",
        """
        migrations.CreateModel(
            "Note", [("id", models.AutoField(primary_key=True)), ("text", models.TextField())]
        ),
        """,
    )
    return annexe
