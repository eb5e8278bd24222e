"""Telling a person what is being done, and how long each step took."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Step:
    """A finished step and its wall-clock time in seconds."""

    name: str
    seconds: float


class Progress:
    """Prints a line a step: a spinner while it runs on a terminal, plain lines elsewhere; a long step notes how far it is."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.steps: list[Step] = []
        self._began = time.monotonic()

    @property
    def total_s(self) -> float:
        """Seconds since the first step could begin."""
        return time.monotonic() - self._began

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Show `name` while the block runs, and its time when it is done. A failed step is marked and re-raised."""
        began = time.monotonic()
        try:
            if self.console.is_terminal:
                with self.console.status(f"{name} …"):
                    yield
            else:
                yield
        except BaseException:
            self.console.print(f"  [red]✗[/] {name}", highlight=False)
            raise
        seconds = time.monotonic() - began
        self.steps.append(Step(name, seconds))
        self.console.print(f"  [green]✓[/] {name:<52}{seconds:6.1f} s", highlight=False)

    def note(self, text: str) -> None:
        """Print how far the step under way has come."""
        self.console.print(f"    {text}", highlight=False)

    def table(self) -> Table:
        """Return the steps with their seconds, slowest not first but in order."""
        table = Table(title="Time spent", box=None, pad_edge=False, title_justify="left")
        table.add_column("step")
        table.add_column("seconds", justify="right")
        for step in self.steps:
            table.add_row(step.name, f"{step.seconds:.1f}")
        table.add_row("total", f"{self.total_s:.1f}", style="bold")
        return table
