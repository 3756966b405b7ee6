"""Where Alembic's verbs lead on Django's migration graph: order, steps, heads.

Pure: no database, no settings, no files. A migration is its key, ``(app, name)``. G is the order in
which an empty database would run them all. J is the order in which the applied ones really ran:
give ``applied`` as a list, oldest first; a mere set counts as run in the order of G. It may hold
keys whose file is missing, but not those that a squashed migration stands for. Alembic records
heads, Django every applied migration: so here a step is one migration, whatever the graph looks
like, and none is ambiguous. Over 300 lines because what goes up, comes down and is listed in
between has to follow the same rules.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from django.db.migrations.graph import MigrationGraph

from hotel.migrator.exceptions import RefusedByPreflight, WrongUse
from hotel.migrator.revisions import targets as words
from hotel.migrator.revisions.targets import Key, Target, cited, label, labels, migrations

FROM_CURRENT = re.compile(r"current|(.*@)?[+-].*", re.DOTALL)  # where a range may start


@dataclass(frozen=True)
class Plan:
    """What a run will do.

    steps: keys in the order they run. backwards: all of them are unapplied, else all are applied.
    counted: those of the steps that the target itself asks for.
    """

    steps: tuple[Key, ...]
    backwards: bool
    counted: frozenset[Key]

    @property
    def required(self) -> tuple[Key, ...]:
        """The steps that only come along, in order: prerequisites going up, dependents down."""
        return tuple(key for key in self.steps if key not in self.counted)


class Graph:
    """The migrations of a project.

    parents: for each key, the keys it depends on. order: every key, in the order G.
    own: labels of the project's own apps; all other apps are contrib.
    """

    def __init__(
        self, parents: Mapping[Key, Iterable[Key]], order: Iterable[Key], own: Iterable[str]
    ) -> None:
        self.order = tuple(order)
        self.own = frozenset(own)
        self.place = {key: place for place, key in enumerate(self.order)}
        self.apps = sorted({app for app, _ in self.order})
        self.parents = {key: self._sorted(parents.get(key, ())) for key in self.order}
        children: dict[Key, list[Key]] = {key: [] for key in self.order}
        for key in self.order:
            for parent in self.parents[key]:
                children[parent].append(key)
        self.children = {key: tuple(near) for key, near in children.items()}

    @classmethod
    def from_django(cls, graph: MigrationGraph, own: Iterable[str]) -> "Graph":
        """Return the same of Django's ``MigrationGraph``; G is as its executor has it."""
        order = dict.fromkeys(
            key for leaf in graph.leaf_nodes() for key in graph.forwards_plan(leaf)
        )
        parents = {key: [node.key for node in graph.node_map[key].parents] for key in order}
        return cls(parents, order, own)

    # Shape

    def ancestors(self, key: Key) -> frozenset[Key]:
        """Return everything that must be applied before ``key``, in any app."""
        return self._ancestors[key]

    def descendants(self, key: Key) -> frozenset[Key]:
        """Return everything that must be unapplied before ``key``, in any app."""
        return self._descendants[key]

    @cached_property
    def _ancestors(self) -> dict[Key, frozenset[Key]]:
        return _closure(self.order, self.parents)

    @cached_property
    def _descendants(self) -> dict[Key, frozenset[Key]]:
        return _closure(reversed(self.order), self.children)

    def near(self, key: Key, relatives: Mapping[Key, tuple[Key, ...]]) -> list[Key]:
        """Return those parents or children of ``key``, as ``relatives`` has them, of its app."""
        return [other for other in relatives[key] if other[0] == key[0]]

    def heads(self) -> tuple[Key, ...]:
        """Return the leaves of every app."""
        return tuple(key for app in self.apps for key in self.leaves(app))

    def leaves(self, app: str) -> tuple[Key, ...]:
        """Return the migrations that end ``app``: no child in it. Two are a conflict to Django."""
        return tuple(
            key for key in self.order if key[0] == app and not self.near(key, self.children)
        )

    def is_merge(self, key: Key) -> bool:
        """Tell whether ``key`` joins two lines of its own app; Alembic's mergepoint."""
        return len(self.near(key, self.parents)) > 1

    def is_branchpoint(self, key: Key) -> bool:
        """Tell whether two lines of its own app begin at ``key``."""
        return len(self.near(key, self.children)) > 1

    def branch_points(self) -> tuple[Key, ...]:
        """Return the migrations at which an app forks."""
        return tuple(key for key in self.order if self.is_branchpoint(key))

    def frontier(self, applied: Collection[Key]) -> tuple[Key, ...]:
        """Return those applied migrations of which no child, in any app, is applied, oldest first.

        Exactly these can be unapplied next.
        """
        run = self._run(applied)
        there = set(run)
        return tuple(
            key for key in run if key in self.place and there.isdisjoint(self.children[key])
        )

    def resolve(self, text: str) -> Key:
        """Return the key that ``text`` means: ``app.0003_name``, or as much of it as is unique.

        The application may be left out where the name is unique in the whole project.
        Raises WrongUse, whatever ``text`` is, with what looks like it.
        """
        return words.resolve(self, text)

    # Up

    def upgrade(
        self,
        targets: Collection[str],
        applied: Collection[Key],
        all_apps: bool = False,
        at_most: bool = False,
    ) -> Plan:
        """Return the Plan that leads up to ``targets``, each planned from ``applied``; none: heads.

        ``head`` or ``heads``: everything. ``app``, ``app@head``: its leaf. ``app.0003``.
        ``app.0003+1``: one after it in its app. ``+N``: the next N in G of this project's own apps,
        with ``all_apps`` of all. ``app@+N``: the next N of that app. All with what they require,
        which runs as late as it may: so ``+1`` and ``+1`` again are ``+2``.
        at_most: fewer than N will do. What is applied is never planned; nothing goes down.
        Raises WrongUse, also if an app that a head is asked of has two leaves.
        """
        applied = frozenset(applied)
        pending = [key for key in self.order if key not in applied]
        wanted: set[Key] = set()
        steps: dict[Key, None] = {}
        for text in targets or ["heads"]:
            wanted.update(self._wanted(text, pending, all_apps, at_most))
        for key in self._sorted(wanted):
            needed = self.ancestors(key).difference(applied, steps)
            steps |= dict.fromkeys([*self._sorted(needed), key])
        return Plan(tuple(steps), False, frozenset(wanted))

    def _wanted(self, text: str, pending: list[Key], all_apps: bool, at_most: bool) -> list[Key]:
        """Return the pending keys that ``text`` itself asks for."""
        target = words.parse(self, text)
        if target.kind in ("head", "app"):
            self._refuse_conflicts([target.app] if target.app else self.apps)
            return [key for key in pending if target.app in ("", key[0])]
        if target.kind == "revision":
            before = self.ancestors(target.key) | {target.key}
            return [key for key in pending if key[0] == target.app and key in before]
        if target.kind == "step" and target.number > 0:
            keys = [key for key in pending if self._counts(key, target.app, all_apps)]
            if len(keys) < target.number and not at_most:
                mend = f"manage.py db upgrade {text} --at-most applies what there is"
                raise self._too_few(target, keys, all_apps, "left to apply", mend)
            return keys[: target.number]
        raise WrongUse(
            f"{cited(text)} leads down, and upgrade never unapplies:"
            f" manage.py db downgrade {text} does."
        )

    def _refuse_conflicts(self, apps: Iterable[str]) -> None:
        conflicts = [(app, self.leaves(app)) for app in apps if len(self.leaves(app)) > 1]
        if conflicts:
            what = "; ".join(f"{app} has the leaves {labels(keys)}" for app, keys in conflicts)
            mend = " and ".join(f"manage.py db merge {app}" for app, _ in conflicts)
            raise WrongUse(f"Conflicting migrations detected: {what}. Join them with {mend}.")

    # Down

    def downgrade(
        self,
        target: str,
        applied: Collection[Key],
        all_apps: bool = False,
        cascade: bool = False,
    ) -> Plan:
        """Return the Plan that leads down to ``target``, a text.

        ``-N``: N times the latest in J of this project's own apps, with ``all_apps`` of all.
        ``app@-N``: of that app. ``app.0002``: stays, and what follows it in its app goes.
        ``app.0003-1``: to one before it. ``app@base``, ``base``: all of that app, of the own apps,
        with ``all_apps`` of all. What depends on these is not counted and goes only with
        ``cascade``: Alembic and Django take it along unasked.
        The order is that of J backwards where that is possible, else that of G backwards.
        Nothing goes up. Raises WrongUse, and RefusedByPreflight for want of ``cascade``.
        """
        run = self._run(applied)
        here = [key for key in run if key in self.place]
        parsed = words.parse(self, target)
        if parsed.kind == "step" and parsed.number < 0:
            counted = self._latest(parsed, run, all_apps)
        elif parsed.kind == "base":
            counted = [key for key in here if self._counts(key, parsed.app, all_apps)]
        elif parsed.kind == "revision":
            self._refuse_not_applied(target, [parsed.key], here)
            later = self.descendants(parsed.key)
            counted = [key for key in here if key[0] == parsed.app and key in later]
        elif parsed.kind == "head":
            leaves = self.leaves(parsed.app) if parsed.app else self.heads()
            self._refuse_not_applied(target, leaves, here)
            counted = []
        else:
            raise WrongUse(
                f"{cited(target)} is not a target of downgrade, which never applies anything:"
                " write -1, app@-1, app.0003 (stays applied), app@base or base."
                " manage.py db current shows what is applied."
            )
        return self.undo(counted, run, target, cascade, " --all-apps" if all_apps else "")

    def undo(
        self,
        keys: Collection[Key],
        applied: Collection[Key],
        target: str,
        cascade: bool = False,
        options: str = "",
    ) -> Plan:
        """Return the Plan that unapplies ``keys``, for which ``target`` stands on the command line.

        What depends on them goes along, or RefusedByPreflight is raised for want of ``cascade``.
        options: what else stands on the command line.
        """
        here = [key for key in self._run(applied) if key in self.place]
        gone = {key for key in here if not self.ancestors(key).isdisjoint(keys)}.union(keys)
        plan = Plan(self._downwards(gone, here), True, frozenset(keys))
        if plan.required and not cascade:
            number = len(plan.required)
            raise RefusedByPreflight(
                f"{cited(target)} takes along {migrations(number)} of other applications that"
                f" {'depends' if number == 1 else 'depend'} on what goes: {labels(plan.required)}."
                f" Nothing was changed; manage.py db downgrade {target} --cascade{options} undoes"
                f" {'it' if number == 1 else 'them'} too."
            )
        return plan

    def _latest(self, target: Target, run: Sequence[Key], all_apps: bool) -> list[Key]:
        """Return the migrations that count and ran last, the latest first.

        One on which another that counts depends has to wait for it, whatever J says.
        """
        left, latest = list(run), list[Key]()
        while len(latest) < -target.number:
            counting = {key for key in left if self._counts(key, target.app, all_apps)}
            for key in reversed(left):
                if key not in self.place and target.app in ("", key[0]):
                    raise WrongUse(
                        f"{label(key)} would be the next to undo, but its file is missing: bring"
                        " the file back, or forget the record with manage.py db stamp --purge."
                    )
                if key in counting and counting.isdisjoint(self.descendants(key)):
                    break
            else:
                mend = "manage.py db current shows what is applied"
                raise self._too_few(target, latest, all_apps, "applied", mend)
            left.remove(key)
            latest.append(key)
        return latest

    def _refuse_not_applied(self, text: str, staying: Iterable[Key], here: Collection[Key]) -> None:
        missing = [key for key in staying if key not in here]
        if missing:
            raise WrongUse(
                f"{cited(text)} is not a valid downgrade target: {labels(missing)}"
                f" {'is' if len(missing) == 1 else 'are'} not applied, and downgrade never applies."
                f" manage.py db upgrade {text} does."
            )

    def _downwards(self, keys: set[Key], here: Sequence[Key]) -> tuple[Key, ...]:
        """Return ``keys`` in an order in which they can be unapplied."""
        steps = [key for key in reversed(here) if key in keys]
        seen: set[Key] = set()
        for key in steps:
            if not seen.issuperset(self.descendants(key) & keys):
                return self._sorted(keys)[::-1]
            seen.add(key)
        return tuple(steps)

    # History

    def range(self, text: str, applied: Collection[Key], all_apps: bool = False) -> tuple[Key, ...]:
        """Return the keys from ``start:end``, both included, newest first in G.

        What an upgrade from one to the other would run, and where it starts. An end is a revision,
        ``base``, ``current``, ``heads``, ``app@head``, or counted from the current ones, as in
        ``-2:current`` and ``current:+2``; left out, it is base or heads. Raises WrongUse.
        """
        start, colon, end = text.partition(":")
        if not colon or ":" in end:
            raise WrongUse(
                f"History range requires [start]:[end], [start]:, or :[end]; {cited(text)} is"
                " not one: write manage.py db history -r app.0001:app.0003."
            )
        before = self._reached(start or "base", applied, all_apps)
        after = self._reached(end or "heads", applied, all_apps)
        # A revision has to be on the way; what is current may be further in other apps.
        if before > after or not (before <= after or FROM_CURRENT.fullmatch(start)):
            raise WrongUse(
                f"Requested range {text} does not refer to ancestor/descendant revisions along the"
                " same branch: write the older one first. manage.py db history lists all revisions."
            )
        return self._sorted((after - before).union(self.frontier(before & after)))[::-1]

    def _reached(self, text: str, applied: Collection[Key], all_apps: bool) -> frozenset[Key]:
        """Return everything that is applied when a database stands at ``text``."""
        current = frozenset(applied).intersection(self.order)
        if text == "current":
            return current
        target = words.parse(self, text)
        if target.kind == "step" and target.number > 0:
            return current.union(self.upgrade([text], applied, all_apps).steps)
        if target.kind == "step":
            plan = self.downgrade(text, applied, all_apps, cascade=True)
            return current.difference(plan.steps)
        if target.kind == "head":
            ends = self.leaves(target.app) if target.app else self.heads()
        else:
            ends = (
                ()
                if target.kind == "base"
                else (target.key if target.kind == "revision" else self.resolve(text),)
            )
        return frozenset(ends).union(*map(self.ancestors, ends))

    # Parts of these

    def _sorted(self, keys: Iterable[Key]) -> tuple[Key, ...]:
        return tuple(sorted(keys, key=self.place.__getitem__))

    def _run(self, applied: Collection[Key]) -> list[Key]:
        """Return ``applied`` in order; a set says nothing of when a missing file was run."""
        if isinstance(applied, Sequence):
            return list(dict.fromkeys(applied))
        missing = sorted(key for key in applied if key not in self.place)
        return [*missing, *self._sorted(key for key in applied if key in self.place)]

    def _counts(self, key: Key, app: str, all_apps: bool) -> bool:
        """Tell whether a step of ``app``, or of no app in particular, is one over ``key``."""
        if key not in self.place:
            return False
        return key[0] == app if app else all_apps or key[0] in self.own

    def _too_few(
        self, target: Target, keys: Sequence[Key], all_apps: bool, state: str, mend: str
    ) -> WrongUse:
        """Return the error that fewer than N migrations count."""
        whose = f" of {target.app}" if target.app else "" if all_apps else " of this project's apps"
        hint = "" if target.app or all_apps else ", --all-apps counts those of all apps"
        what = f"only {migrations(len(keys))}" if keys else "no migration"
        return WrongUse(
            f"{words.not_produced(target.number)}: {what}{whose} {'are' if len(keys) > 1 else 'is'}"
            f" {state}. Nothing was planned; {mend}{hint}."
        )


def _closure(
    order: Iterable[Key], relatives: Mapping[Key, tuple[Key, ...]]
) -> dict[Key, frozenset[Key]]:
    """Return for each key its relatives, and theirs, and so on; these come before it in order."""
    closure: dict[Key, frozenset[Key]] = {}
    for key in order:
        near = relatives[key]
        closure[key] = frozenset(near).union(*(closure[other] for other in near))
    return closure
