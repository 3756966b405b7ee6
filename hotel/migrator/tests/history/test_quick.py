"""The shorter ways of ``hotel.migrator.tests.quick`` end where the long ones do."""

from django.db.models.fields import CharField, Field

from conftest import GRAPH, PLAN
from hotel.migrator.tests import quick


def facts(field):
    """Return all that a field holds but the number that says when it was made."""
    return type(field), {**vars(field), "creation_counter": None}


def test_a_copy_of_a_field_is_what_django_makes_of_it_anew():
    fields = {}
    state = GRAPH.make_state(PLAN)
    state.resolve_fields_and_relations()  # gives them names
    for model in state.models.values():
        fields |= {id(field): field for field in model.fields.values()}
    for key in PLAN:
        for operation in GRAPH.nodes[key].operations:
            named = vars(operation).get("fields") or [("", vars(operation).get("field"))]
            fields |= {id(field): field for _, field in named if isinstance(field, Field)}
    wrong = {}
    for field in fields.values():
        short, long = quick.clone(field), quick._anew(field)
        assert long.creation_counter - short.creation_counter == (-1 if long.auto_created else 1)
        if field.is_relation:  # which refer to themselves
            assert short.deconstruct()[1:] == long.deconstruct()[1:]
        elif facts(short) != facts(long):
            wrong[field] = facts(short), facts(long)
    assert wrong == {}
    kinds = {type(field).__name__ for field in fields.values()}
    assert kinds >= {"AutoField", "CharField", "DateTimeField", "DecimalField", "ForeignKey"}


def test_a_field_that_has_got_a_name_is_made_anew_without_it():
    field = CharField(max_length=5)
    field.set_attributes_from_name("old")
    assert facts(quick.clone(field)) == facts(quick._anew(field))
    assert quick.clone(field).name is None
