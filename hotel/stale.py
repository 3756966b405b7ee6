"""Forms that are sent after somebody else has changed the row: what they may write.

A field has three values: the one that the form showed, the one that stands, and the one that was
sent. Sent as shown, or as it stands: the form does not touch it, and it is not written. Otherwise,
if what stands is what was shown, it is written; if not, the person is asked: theirs or mine. No
clock decides. The caller has locked the row. Rule: docs/decisions/0021-stale-forms.md.
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.models import InlineForeignKeyField
from django.utils.text import capfirst

from hotel.junk import junk
from hotel.meanwhile import Change, last_change
from hotel.shown import Shown, ShownField, Text, short, text_of, words, words_of_short

CARRIER = "shown"  # the name of the field that carries what a form showed
THEIRS, MINE = "theirs", "mine"
UNREADABLE = "unreadable"  # stands for what was sent, if it makes no value


@dataclass(frozen=True)
class Conflict:
    """A field that this form and somebody else have both changed; values as staff read them."""

    question: str  # the name of the answer, in what is sent
    label: str
    opened: str
    now: str
    yours: str
    change: Change | None

    def __str__(self) -> str:
        """Return, for instance, ``Leaves was changed by sari at 10:42: Fri 4 Dec; yours: …``."""
        who = self.change or "somebody"
        return f"{self.label} was changed by {who}: {self.now}; yours: {self.yours}."


@dataclass
class Merge:
    """What came out of comparing the three values of each field."""

    written: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    theirs: list[str] = field(default_factory=list)
    conflicts: dict[str, Conflict] = field(default_factory=dict)


class CarryingForm(forms.BaseForm):
    """A form that carries what it showed. Mixed in before a form that has a row, or none yet.

    changing: the user who sends it, to tell their own changes from those of others.
    """

    carrier = CARRIER
    changing: Any = None
    merge: Merge

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.merge = Merge()
        if self.carrier:
            self.fields[self.carrier] = ShownField(initial=lambda: self.fresh().signed(self.about))

    # Which row it is about

    @property
    def standing_row(self) -> Any:
        """The row that the form changes; None if it adds one."""
        row = getattr(self, "instance", None)
        return None if row is None or row._state.adding else row

    def column(self, name: str) -> str | None:
        """Return the column of the row that a field shows, or None if it shows none."""
        return name

    @property
    def about(self) -> str:
        """What the form is about: the kind of form, and the row."""
        row = self.standing_row
        return f"{type(self).__name__}:{f'{row._meta.label}:{row.pk}' if row else 'new'}"

    # What it showed

    def carried(self) -> list[str]:
        """Return the names of the fields whose values are compared."""
        return [
            name
            for name, form_field in self.fields.items()
            if not form_field.disabled
            and not isinstance(form_field, ShownField | InlineForeignKeyField)
            and self.column(name)
        ]

    def standing(self, name: str) -> Text:
        """Return the value of a field that stands, as a text."""
        form_field = self.fields[name]
        return text_of(form_field, self.get_initial_for_field(form_field, name))

    def figures(self) -> dict[str, Text]:
        """Return what the form says beside its fields and rests on, by name."""
        return {}

    def fresh(self) -> Shown:
        """Return what the form shows now."""
        values = {name: short(self.standing(name)) for name in self.carried()}
        figures = {name: short(text) for name, text in self.figures().items()}
        return Shown(values=values if self.standing_row else {}, figures=figures)

    @cached_property
    def shown(self) -> Shown | None:
        """What the form that was sent showed; None if it does not say so."""
        carrier = self.add_prefix(self.carrier) if self.carrier else ""
        return Shown.read(self.data.get(carrier), self.about)

    # What it may write

    def _clean_fields(self) -> None:
        super()._clean_fields()  # type: ignore[misc]  # not in the stubs
        for name, form_field in self.fields.items():
            problem = junk(form_field, self[name].data) if name in self.cleaned_data else ""
            if problem:
                self.add_error(name, problem)

    def _clean_form(self) -> None:
        if self.standing_row is not None and not self._sent_before():
            self._compare()
        super()._clean_form()  # type: ignore[misc]  # not in the stubs

    def _sent_before(self) -> bool:
        """Return whether the act was done already, when this form was sent the first time."""
        return False

    def _compare(self) -> None:
        for name in self.carried():
            standing, mine = self.standing(name), self._mine(name)
            known = self._showed(name, standing)
            if mine == standing:
                self._leave(name, bool(known) and known != (short(standing),), is_right=True)
            elif known and short(mine) == known[0]:
                self._leave(name, short(standing) != known[0])
            elif self._answer(name) == THEIRS:
                self._leave(name, changed=True)
            elif known and known[0] == short(standing) and self._answer(name) != "":
                self.merge.written.append(name)
            else:
                self.merge.conflicts[name] = self._conflict(name, standing, mine, known)

    def _showed(self, name: str, standing: Text) -> tuple[Text] | None:
        """Return the value that the form showed, as it is carried, in a tuple; None if unknown.

        A form that does not say is of no page of ours. It is taken to have shown what stands,
        unless the last who changed that is somebody else: nobody's change is lost to it.
        """
        if self.shown:
            return (self.shown.values.get(name),)
        change = last_change(self.standing_row, self.column(name), self.fields[name].label)
        others = change and change.by and change.by != self.changing
        return None if others else (short(standing),)

    def _answer(self, name: str) -> str | None:
        """Return what the person answered; "" if they were asked and did not; None if not asked."""
        if not self.shown or name not in self.shown.asked:
            return None
        answer = self.data.get(self._question(name))
        return answer if answer in (THEIRS, MINE) else ""

    def _question(self, name: str) -> str:
        return f"keep-{self.add_prefix(name)}"

    def _mine(self, name: str) -> Text:
        """Return the value that was sent, as a text."""
        bound = self[name]
        form_field: Any = bound.field
        if name in self.cleaned_data:
            return text_of(form_field, self.cleaned_data[name])
        try:
            return text_of(form_field, form_field.to_python(bound.data))
        except (ValidationError, ArithmeticError, TypeError, ValueError):  # junk
            return text_of(form_field, bound.data) or UNREADABLE

    def _leave(self, name: str, changed: bool, is_right: bool = False) -> None:
        """Leave a field as it stands, whatever was sent.

        changed: others have changed it meanwhile. is_right: what was sent is what stands.
        """
        (self.merge.theirs if changed else self.merge.left).append(name)
        if changed and not is_right:
            form_field: Any = self.fields[name]
            stands = form_field.prepare_value(self.get_initial_for_field(form_field, name))
            self.errors.pop(name, None)
            try:
                self.cleaned_data[name] = form_field.to_python(stands)
            except ValidationError as error:
                self.add_error(name, error)

    def _conflict(
        self, name: str, standing: Text, mine: Text, known: tuple[Text] | None
    ) -> Conflict:
        form_field = self.fields[name]
        found = Conflict(
            question=self._question(name),
            label=capfirst(str(self[name].label)),
            opened=words_of_short(form_field, known[0]) if known else "not known",
            now=words(form_field, standing),
            yours=words(form_field, mine),
            change=last_change(self.standing_row, self.column(name), form_field.label),
        )
        self.add_error(name, ValidationError(str(found), "changed_meanwhile"))
        return found

    def asking(self) -> Shown:
        """Return what the page shows that asks about the conflicts."""
        before = self.shown or self.fresh()
        return before.asking({name: short(self.standing(name)) for name in self.merge.conflicts})

    def only_conflicts(self) -> bool:
        """Return whether nothing is wrong with the form but that the person is to be asked."""
        errors = [error for name in self.errors for error in self.errors[name].as_data()]
        return all(error.code == "changed_meanwhile" for error in errors)


class CarryingModelForm(CarryingForm):
    """Mixed in before a ModelForm: writes the fields that were typed into, and no others."""

    _meta: Any
    instance: Any

    @property
    def about(self) -> str:
        """What the form is about: the row, or a new one of its model."""
        row = self.standing_row
        return f"{self._meta.model._meta.label}:{row.pk if row else 'new'}"

    @property
    def _untouched(self) -> set[str]:
        return {*self.merge.left, *self.merge.theirs}

    @cached_property
    def changed_data(self) -> list[str]:
        """The names of the fields that are written."""
        if not self.is_bound or self.standing_row is None or self.empty_permitted:
            return super().changed_data
        self.errors  # noqa: B018 - compares
        others = set(self.fields) - set(self.carried())
        return [*self.merge.written, *(set(super().changed_data) & others)]

    def _mine(self, name: str) -> Text:
        """Return the value that was sent, as a text; what is not sent is not touched."""
        bound = self[name]
        widget, files = bound.field.widget, isinstance(bound.field, forms.FileField)
        if not files and widget.value_omitted_from_data(self.data, self.files, bound.html_name):
            return self.standing(name)
        return super()._mine(name)

    def _leave(self, name: str, changed: bool, is_right: bool = False) -> None:  # noqa: ARG002
        """Leave a field as it stands, whatever was sent: it need not keep the rules."""
        (self.merge.theirs if changed else self.merge.left).append(name)
        self.errors.pop(name, None)
        columns = {one.name for one in self.instance._meta.concrete_fields}
        self.cleaned_data[name] = (
            getattr(self.instance, name)
            if name in columns
            else self.get_initial_for_field(self.fields[name], name)
        )

    def _post_clean(self) -> None:
        for name in self._untouched:
            self.cleaned_data.pop(name, None)  # so that neither row nor many-to-many gets it
        super()._post_clean()  # type: ignore[misc]  # not in the stubs

    def _update_errors(self, errors: ValidationError) -> None:
        """Take over what the model refuses, of the fields that are written."""
        if hasattr(errors, "error_dict"):
            for name in self._untouched:
                errors.error_dict.pop(name, None)
            if not errors.error_dict:
                return
        super()._update_errors(errors)  # type: ignore[misc]  # not in the stubs


class RowForm(CarryingModelForm):
    """A row of a formset: the formset carries what all its rows showed."""

    carrier = ""
    showed: Shown | None = None

    @cached_property
    def shown(self) -> Shown | None:
        """What this row showed in the form that was sent."""
        return self.showed

    def carried(self) -> list[str]:
        """Return the names of the fields whose values are compared."""
        apart = ("DELETE", "ORDER", self._meta.model._meta.pk.name)
        return [name for name in super().carried() if name not in apart]


class CarryingFormSet(forms.BaseModelFormSet):  # type: ignore[type-arg]  # not at run time
    """Mixed in before a formset of rows: carries what all of them showed, by key."""

    changing: Any = None
    model: Any

    @property
    def about(self) -> str:
        """What the formset is about: the model, and the row that its rows belong to."""
        return f"{self.model._meta.label}:of {getattr(getattr(self, 'instance', None), 'pk', None)}"

    @cached_property
    def management_form(self) -> Any:
        """The form that says how many rows there are, and what they showed."""
        form: Any = super().management_form
        form.fields[CARRIER] = ShownField(initial=lambda: self._signed(self._fresh()))
        return form

    def _fresh(self) -> dict[str, Any]:
        forms_of_rows: Any = self.initial_forms
        rows = [form for form in forms_of_rows if form.standing_row]
        return {str(form.instance.pk): form.fresh().values for form in rows}

    def _signed(self, rows: dict[str, Any], asked: tuple[str, ...] = ()) -> str:
        return Shown(values=rows, asked=asked).signed(self.about)

    @cached_property
    def shown(self) -> Shown | None:
        """What the formset that was sent showed."""
        return Shown.read(self.data.get(f"{self.prefix}-{CARRIER}"), self.about)

    def _construct_form(self, i: int, **kwargs: Any) -> Any:
        form = super()._construct_form(i, **kwargs)  # type: ignore[misc]  # not in the stubs
        form.changing = self.changing
        key = str(form.instance.pk)
        values: Any = self.shown and self.shown.values.get(key)
        if self.shown and values is not None:
            asked = tuple(
                name.split(" ", 1)[1] for name in self.shown.asked if name.startswith(f"{key} ")
            )
            form.showed = Shown(values=values, asked=asked)
        return form

    def clean(self) -> None:
        """Say of which row somebody has deleted it, and of which it cannot be deleted now."""
        super().clean()
        name = self.model._meta.verbose_name
        rows: Any = self.initial_forms
        for form in rows:
            if form.standing_row is None:
                raise ValidationError(f"A {name} was deleted meanwhile. Open the page again.")
            deleted = self.can_delete and self._should_delete_form(form)  # type: ignore[attr-defined]  # not in the stubs
            if deleted and form.showed and form.fresh().values != form.showed.values:
                raise ValidationError(
                    f"{capfirst(name)} {form.instance} was changed by"
                    f" {last_change(form.instance) or 'somebody'}: it is not deleted."
                    " Open the page again."
                )

    def asking(self) -> str:
        """Return what the page carries that asks about the conflicts."""
        rows, asked = {}, []
        forms_of_rows: Any = self.initial_forms
        for form in forms_of_rows:
            key = str(form.instance.pk)
            rows[key] = form.asking().values
            asked += [f"{key} {name}" for name in form.merge.conflicts]
        return self._signed(rows, tuple(asked))


def carrying(form: type[Any], mixin: type[Any] = CarryingModelForm, changing: Any = None) -> Any:
    """Return a class of forms like ``form`` that carry what they showed."""
    return type(form.__name__, (mixin, form), {"changing": changing})
