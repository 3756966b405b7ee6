"""What the database would refuse for a rule, forms say before."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import ValidationError


def form_errors(stay):
    try:
        stay.validate_constraints()
    except ValidationError as error:
        return error.messages
    return []


@pytest.fixture
def model(ruled, history):
    return history.model("annexe.Stay")


def test_forms_say_what_the_database_would_refuse(model):
    stay = model(room=1, arrival=date(2026, 1, 2), departure=date(2026, 1, 3), status="booked")
    assert form_errors(stay) == ["The room is booked."]
    stay.departure = stay.arrival
    assert form_errors(stay) == ["The guest must leave after the day of arrival."]
    stay.departure, stay.room = stay.arrival + timedelta(1), 9
    assert form_errors(stay) == []
    stay.note = "oNE"
    assert form_errors(stay) == ["Constraint “note_unique” is violated."]


def test_forms_let_exempt_rows_be_edited_onto_themselves(model):
    assert [form_errors(stay) for stay in model.objects.all()] == [[]] * 9
    stay = model.objects.get(pk=1)
    stay.departure += timedelta(1)
    assert form_errors(stay) == ["The room is booked."]
    stay.departure = date(2026, 1, 4)
    assert form_errors(stay) == []
    stay = model.objects.get(pk=6)
    stay.departure = stay.arrival
    assert form_errors(stay) == ["The guest must leave after the day of arrival."]


def test_forms_let_neighbours_and_those_without_an_end_stand(model):
    stay = model(room=1, arrival=date(2026, 1, 9), departure=date(2026, 1, 11), status="booked")
    assert form_errors(stay) == []
    stay.departure = None
    assert form_errors(stay) == []
    stay.arrival = date(2026, 1, 8)
    assert form_errors(stay) == ["The room is booked."]
