#!/usr/bin/env python
"""Django's command line for the hotel."""

import os
import sys


def main() -> None:
    """Run the command named on the command line."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hotel.settings")
    from django.core.management import execute_from_command_line

    from hotel.command_line import errors_in_one_sentence

    with errors_in_one_sentence(sys.argv):
        execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
