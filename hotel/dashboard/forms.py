"""What the button that closes the day asks for, and shows."""

from django import forms
from django.utils.html import format_html, format_html_join

from hotel.actions import ActionForm
from hotel.dashboard import closing
from reservations.models import Reservation

SHOWN = 10  # stays of each kind


class CloseForm(ActionForm):
    """Which day is closed, what is open in it, and what becomes of that."""

    # Sent along, so that nobody closes another day than the one that was shown.
    day = forms.DateField(widget=forms.DateInput(attrs={"readonly": True}))
    no_shows = forms.BooleanField(required=False, label="Mark who did not come as a no-show")
    accept_open = forms.BooleanField(
        required=False, label="Close it with arrivals or departures open"
    )

    def prepare(self) -> None:
        """Name the next day, and what is open in it."""
        day = closing.next_to_close()
        points = closing.open_points(day)
        self.fields["day"].initial = day
        lines = [
            ("expected, and not come", points.arrivals),
            ("to leave, and in house", points.departures),
            ("unpaid", [stay for stay, _ in points.unpaid]),
            ("expected in a dirty room", points.dirty),
        ]
        told = [(len(stays), what, _names(stays)) for what, stays in lines if stays]
        self.fields["day"].help_text = (
            format_html_join(format_html("{}", "; "), "{} {} ({})", told)
            if told
            else "Nothing is open in it."
        )


def _names(stays: list[Reservation]) -> str:
    more = [f"and {len(stays) - SHOWN} more"] if len(stays) > SHOWN else []
    return ", ".join([*map(str, stays[:SHOWN]), *more])
