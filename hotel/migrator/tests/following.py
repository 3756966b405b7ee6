"""What ``db doctor`` advises, done as it says."""

import json
from contextlib import suppress
from io import StringIO

from django.core.management import call_command

from hotel.migrator.tests import shells
from hotel.migrator.tests.commands import doctor


def commands(mend):
    """Return the commands in what mends something, in their order; of two ways, the first."""
    found = []
    for words in mend.partition(", or by steps")[0].split("manage.py ")[1:]:
        command = []
        for word in words.split():
            if word.rstrip(".") in ("prints", "stops", "then"):
                break
            command.append(word.rstrip(".,;"))
            if word[-1] in ".,;":
                break
        found.append(command)
    return found


def follow(project, found):
    """Do what the findings say, in their order."""
    if any(row["can_fix"] for row in found):
        doctor("--fix")
    for row in found:
        for command in [] if row["can_fix"] else commands(row["mend"]):
            if command == ["db", "drift"]:
                script = drift_script()
                assert shells.run(script, shows=True) == (0, "")
                continue
            asked = command[0] in ("migrate", "makemigrations") or command[1] == "merge"
            call_command(*command, *["--noinput"] * asked, verbosity=0)
            project.reload()


def drift_script():
    """Return the lines of the script that ``db drift`` prints."""
    out = StringIO()
    with suppress(SystemExit):  # with 1: there is something to mend
        call_command("db", "drift", "--json", stdout=out)
    return json.loads(out.getvalue())["script"]
