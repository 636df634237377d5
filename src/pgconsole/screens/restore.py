"""The plan of a restore: what would be lost, table by table, and the question below it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar

from textual import on
from textual.actions import SkipAction
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Vertical, VerticalGroup
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Input

from pgconsole.actions import Where, actions_of
from pgconsole.backups.confirmation import confirm_restore, word_for
from pgconsole.backups.restore_copy import FoundCopy
from pgconsole.planning.facts import Facts
from pgconsole.planning.loss import sentence
from pgconsole.planning.plan import Plan, conclude
from pgconsole.screens.base import ConsoleScreen
from pgconsole.screens.restore_feeds import Drawn, Looks, Part, PartKnown, RestoreFeeds
from pgconsole.settings import Settings
from pgconsole.widgets import plan_text as text
from pgconsole.widgets.bindings import bindings
from pgconsole.widgets.dialog import Field, TypedYes
from pgconsole.widgets.fact_rows import FactRows
from pgconsole.widgets.filter_line import FilterLine
from pgconsole.widgets.grid import Grid
from pgconsole.widgets.key_footer import KeyFooter
from pgconsole.widgets.known import Known
from pgconsole.widgets.line import Line
from pgconsole.widgets.pane_tabs import PaneTab, PaneTabs
from pgconsole.widgets.problem import problem_text

_SETTLED = 0.3  # seconds without a key after which the target is taken for meant
_TITLES = {"tables": "1 Tables", "checks": "2 Checks", "course": "3 What happens"}
# What is typed into a field is no key of the screen's; these are not even offered then.
_TYPED = ("help", "quit", "filter", "sort", "reverse", "page")


class RestoreScreen(ConsoleScreen, inherit_bindings=False):
    """One copy, one target, and what restoring the one over the other does.

    The target has the keys first, so that what was typed by habit lands there and does nothing.

    Args:
        settings: The server, and the target that is offered.
        copy: The copy, as it was chosen.
        now: The clock.
        looks: Where all that is known comes from.
        confirmed: Takes the target and the token for it and this very copy; None: only the plan
            is shown, and nobody is asked.
        target: The database that is offered in place of the configured one.
    """

    WHERE = Where.RESTORE
    BINDINGS: ClassVar[list[BindingType]] = bindings(actions_of(Where.RESTORE))

    def __init__(
        self,
        settings: Settings,
        copy: FoundCopy,
        now: Callable[[], datetime],
        *,
        looks: Looks,
        confirmed: Callable[[str, str], None] | None,
        target: str = "",
    ) -> None:
        super().__init__(settings)
        self._now = now
        self._confirmed = confirmed if not settings.read_only else None
        self._feeds = RestoreFeeds(settings, looks, self.post_message, now)
        self._facts = _unknown(settings, copy, target or settings.pgdatabase)
        self._plan = conclude(self._facts, now())
        self._moved = False  # by the operator
        self._failed = ""  # the first check that failed
        self._tabs_of: tuple[Plan | None, int] = None, 0
        self._tabs: dict[str, str] = {}
        self._timer: Timer | None = None
        self._page = "tables"
        self._filter_text = ""
        protected = "-protected" if settings.protected else ""
        self._title_line = Line(id="restore-title", classes=protected)
        self._source = Line(id="restore-source")
        self._verdict = Line(id="restore-verdict")
        self._tab_line = PaneTabs(tuple(_TITLES))
        self._grid = Grid(text.COLUMNS, id="restore-grid", sort=text.GRAVEST_FIRST)
        self._table = Line(id="restore-table")
        self._check_rows = FactRows(text.CHECKS)
        self._course = FactRows(text.HEADINGS)
        self._pages = {
            "tables": Vertical(self._grid, self._table, id="restore-tables", classes="pane"),
            "checks": Vertical(self._check_rows, id="restore-checks", classes="pane"),
            "course": Vertical(self._course, id="restore-course", classes="pane"),
        }
        self._filter = FilterLine(lambda: self._grid)
        where = f"{settings.pghost}:{settings.pgport}"
        self._field = Field(f"Into database on {where}", "target", value=self._facts.database)
        self._yes = TypedYes(self._verb, self._word)
        self._only_plan = Line(id="hint")
        self._only_plan.show("Only a plan: nothing can be started from here · Esc leaves")

    def compose(self) -> ComposeResult:
        """What it is about, what would be lost, the pages, and the question, always in view."""
        yield self._title_line
        yield self._source
        yield self._verdict
        yield self._tab_line
        with Container(id="restore-pages"):
            yield from self._pages.values()
        yield self._filter
        with VerticalGroup(id="restore-question"):
            yield self._field
            yield self._yes if self._confirmed is not None else self._only_plan
        yield KeyFooter()

    def on_mount(self) -> None:
        """Paint first, then ask."""
        self.set_focus(self._field.answer)  # at once: `focus` does it some keys later
        self.action_page("tables", focus=False)
        self._tick()
        self.set_interval(1.0, self._tick)
        self.call_after_refresh(self._start)

    def on_unmount(self) -> None:
        """Leaving waits for nobody."""
        self._feeds.stop()

    @property
    def _verb(self) -> str:
        if self.settings.protected:
            return "replace it (PROTECTED)"
        return f"replace {self._facts.database or '?'}"

    @property
    def _word(self) -> str:
        return word_for(self.settings, self._facts.database)

    # What is known

    def _start(self) -> None:
        self._feeds.conclude(lambda: self._facts)
        self._feeds.read_copy()
        self._inquire()

    def _inquire(self) -> None:
        if self._facts.database:
            self._feeds.ask(self._facts.database)

    @on(PartKnown)
    def _part_known(self, message: PartKnown) -> None:
        if message.part is Part.PLAN:
            self._concluded(message.known)
            return
        if message.part is not Part.CONTENT and message.database != self._facts.database:
            return  # about another target
        news: dict[str, Any] = {message.part: message.known}
        self._facts = replace(self._facts, **news)
        target = self._facts.target.value
        if target is not None:
            self._feeds.count(target)
        if target is not None and self._facts.content.value is not None:
            self._feeds.fit(
                target.database, lambda: (self._facts.content.value, self._facts.target.value)
            )
        if message.known.asked_at is None or message.known.so_far is not None:
            self._feeds.again()

    def _concluded(self, known: Known[Drawn]) -> None:
        """Show what follows from what is known."""
        if known.problem is not None:
            self._verdict.show(*problem_text(known.problem))
            return
        drawn = known.value
        if drawn is None or known.asked_at is not None:
            return
        if drawn.plan.facts.database != self._facts.database:
            return  # about another target
        other = drawn.plan.tables is not self._plan.tables
        self._plan = drawn.plan
        if other:
            self._grid.fill(drawn.items)
            if not (self._moved or self._grid.has_focus):
                self._grid.move("top")  # the gravest, which was another one before
        self._tick()
        failed = next((one.name for one in drawn.plan.checks if one.brief), "")
        if failed and failed != self._failed:
            self.call_after_refresh(self._check_rows.reveal, failed)
        self._failed = failed

    def _tick(self) -> None:
        """Show the plan; what it says of others' silence grows."""
        now, plan = self._now(), self._plan
        self._title_line.show(*text.title_text(self._facts, only_plan=self._confirmed is None))
        self._source.show(*text.source_text(plan, now, self.size.width))
        self._verdict.show(*text.verdict_text(plan, self._facts, now))
        self._check_rows.show(text.check_rows(plan.checks))
        self._course.show(text.course_rows(plan.facts, now))
        self._show_tabs()
        self._show_table()

    def _show_tabs(self) -> None:
        plan, width = self._plan, self.size.width
        if self._tabs_of[0] is not plan or self._tabs_of[1] != width:  # they go over all tables
            self._tabs_of = plan, width
            self._tabs = text.tab_texts(plan, width)
        self._tab_line.show(self._tabs, self._page)
        for name, page in self._pages.items():
            page.border_title = self._tabs[name]

    @on(Grid.Moved)
    def _show_table(self) -> None:
        """The selected table's sentence, for which its row may have no room."""
        chosen = self._grid.selected
        table = next((one for one in self._plan.tables if one.name == chosen), None)
        parts = text.table_text(table, sentence(table, self.settings) if table else "")
        self._table.show(*parts)
        self._table.display = bool(parts)

    # The question

    @on(Input.Changed, "#target")
    def _retarget(self, event: Input.Changed) -> None:
        """Another target: all that was known of the one before is of no use."""
        if event.value == self._facts.database:
            return
        self._feeds.forget(Part.HOST, Part.TARGET, Part.FITNESS, Part.ROWS)
        before = self._facts
        nothing = _unknown(self.settings, before.copy, event.value)
        self._plan = conclude(nothing, self._now())
        self._grid.fill([])
        self._facts = replace(nothing, content=before.content)
        self._yes.ask(self._verb, self._word)
        self._tick()
        self._feeds.again()
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(_SETTLED, self._inquire)

    @on(TypedYes.Confirmed)
    def _said_yes(self, message: TypedYes.Confirmed) -> None:
        """Hand over the token, unless there is a reason not to."""
        database = self._facts.database
        if not database:
            self._yes.refuse("Into which database? Name one above")
        elif self._field.answer.value != database:  # changed faster than it could be shown
            self._yes.refuse("The target has changed: read what it says now, then answer")
        elif refused := self._plan.refusal:
            self._yes.refuse(f"Nothing happens. {refused}")
        elif self._confirmed is not None and self.is_current:
            token = confirm_restore(message.typed, self.settings, database, self._facts.copy)
            self.dismiss()
            self._confirmed(database, token)

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave out what would be typed into a field."""
        if action in _TYPED and isinstance(self.focused, Input):
            return False
        return super().check_action(action, parameters)

    def on_descendant_focus(self) -> None:
        """Other keys, and what has the keys is in view."""
        for name, page in self._pages.items():
            if self.focused is not None and page in self.focused.ancestors:
                self.action_page(name, focus=False)
        self.refresh_bindings()

    @property
    def _stops(self) -> list[Widget]:
        """What gets the keys in turn."""
        fields = [self._field.answer]
        if self._confirmed is not None:
            fields.append(self._yes.answer)
        return [*fields, self._grid, self._check_rows, self._course]

    def _step(self, by: int) -> None:
        stops = self._stops
        at = stops.index(self.focused) if self.focused in stops else 0
        self.set_focus(stops[(at + by) % len(stops)])

    def action_next_field(self) -> None:
        """Go on."""
        self._step(1)

    def action_previous_field(self) -> None:
        """Go back."""
        self._step(-1)

    def action_question(self) -> None:
        """From the target to the question; elsewhere Enter is whatever it is there.

        At once, not when the field has handled the key: what is typed right behind Enter belongs
        to the next field.
        """
        if self.focused is not self._field.answer:
            raise SkipAction
        self._step(1)

    @on(PaneTab.Chosen)
    def _tab_chosen(self, message: PaneTab.Chosen) -> None:
        self.action_page(message.pane, focus=False)

    def action_page(self, name: str, *, focus: bool = True) -> None:
        """Show a page."""
        self._page = name
        for one, page in self._pages.items():
            page.set_class(one == name, "-active")
        self._show_tabs()
        if focus:
            self._body.focus()

    @property
    def _body(self) -> Grid | FactRows:
        return {"checks": self._check_rows, "course": self._course}.get(self._page, self._grid)

    def action_move(self, where: str) -> None:
        """Move in the page, also while something is being typed."""
        self._moved = True
        self._body.move(where)

    def action_sort(self) -> None:
        """Sort the tables by the next column."""
        self._grid.sort()

    def action_reverse(self) -> None:
        """Turn their order round."""
        self._grid.reverse()

    def action_filter(self) -> None:
        """Type a filter of the tables."""
        self.action_page("tables", focus=False)
        self._filter.open()

    @on(FilterLine.Changed)
    def _filter_changed(self, message: FilterLine.Changed) -> None:
        if self._filter.narrow(self._grid, message.text):
            self._filter_text = message.text

    def action_reload(self) -> None:
        """Ask everything anew; what is known stays until then."""
        self._feeds.stop()
        self._start()

    def action_back(self) -> None:
        """Clear the filter of the tables, or leave without doing anything."""
        if self._filter_text and self.focused is self._grid:
            self._filter.action_clear()
        else:
            self.dismiss()


def _unknown(settings: Settings, copy: FoundCopy, database: str) -> Facts:
    """Nothing known yet, each part with its age."""
    return Facts(
        settings, copy, database, content=Known(), host=Known(), target=Known(), fitness=Known(),
        rows=Known(),
    )  # fmt: skip
