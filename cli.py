"""Command line: the commands, put together; each stands beside what it runs.

The commands are the only places that print or exit. Every one has a Python function of the same
name, `models import-prnet` that of its second word.
"""

import contextlib
import io
import os
import sys
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer

from uvface.core.commands.doctor import doctor
from uvface.core.commands.evaluate import evaluate
from uvface.core.commands.inspect import inspect
from uvface.core.commands.models import models
from uvface.core.commands.options import complain
from uvface.core.commands.reconstruct import reconstruct
from uvface.core.commands.train import synthesize, train
from uvface.core.commands.usage import UsageError, complain_of_usage, refuse_empty_names
from uvface.editing.commands.augment import augment
from uvface.editing.commands.edit import edit, texture
from uvface.editing.commands.edit_video import edit_video
from uvface.faceswap.command import benchmark, swap
from uvface.faceswap.exchange_command import exchange
from uvface.faceswap.video_command import swap_video

app = typer.Typer(
    name="uvface",
    help="Faces as images in UV space: reconstruct, swap and edit them, all on your machine.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
_COMMANDS: tuple[Callable[..., None], ...] = (
    *(reconstruct, swap, exchange, swap_video, edit, edit_video, texture, augment, inspect),
    *(synthesize, train, evaluate, doctor, benchmark),
)
_STOPPED = 130  # exit code after Ctrl-C, as shells have it
_WAYS_ON = {
    "skip_existing": "a batch goes on where it was with --skip-existing",
    "resume": "it goes on where it was with --resume",
}
for command in _COMMANDS:
    app.command()(command)
app.add_typer(models, name="models")


def _show_version(is_asked: bool) -> bool:
    if is_asked:
        from uvface.core.io.provenance import software_name

        typer.echo(software_name())
        raise typer.Exit
    return is_asked


@app.callback()
def _common(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Take what stands before a command."""


class _OutputError(Exception):
    """Standard output cannot be written, for what the system says."""

    def __init__(self, reason: OSError) -> None:
        super().__init__(str(reason))
        self.reason = reason


class _Stream:
    """What writes text, whoever put it there; failures go to ``fail``."""

    def __init__(self, stream: Any, fail: Callable[[OSError], None]) -> None:
        self._stream = stream
        self._fail = fail

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> Any:
        try:
            return self._stream.write(text)
        except OSError as error:
            self._fail(error)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError as error:
            self._fail(error)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code (0 done, 1 failed, 2 wrong usage)."""
    if sys.stderr is None:  # closed before the start, and so is what is written to it
        return _write_output(argv)
    lost: list[OSError] = []  # a message that nobody can read stops no work
    messages = _Stream(sys.stderr, lost.append)
    with contextlib.redirect_stderr(messages):
        code = _write_output(argv)
        messages.flush()
    if lost:
        _leave(sys.stderr)
    return code


def _write_output(argv: Sequence[str] | None) -> int:
    if sys.stdout is None:
        return _run(argv)
    if isinstance(sys.stdout, io.TextIOWrapper):  # a file's name need not be UTF-8; stderr escapes
        sys.stdout.reconfigure(errors="replace")
    output = _Stream(sys.stdout, _stop)
    try:
        with contextlib.redirect_stdout(output):
            code = _run(argv)
            output.flush()  # a full disk is noticed here at the latest
    except _OutputError as error:
        if not isinstance(error.reason, BrokenPipeError):  # whoever read us has had enough
            complain(f"cannot write the output: {error.reason.strerror or error}")
        _leave(sys.stdout)
        return 1
    return code


def _stop(error: OSError) -> None:
    """Tell a failure of standard output from those of other files."""
    raise _OutputError(error) from error


def _run(argv: Sequence[str] | None) -> int:
    from uvface.core.errors import UvfaceError

    words = list(sys.argv[1:] if argv is None else argv)
    try:
        if not all(words) or any(word.endswith("=") for word in words):
            refuse_empty_names(_command(words), words[1:])
        # On Windows ~ and * are expanded in what is not given, as shells do it elsewhere.
        given = None if argv is None else words
        code = app(args=given, prog_name="uvface", standalone_mode=False)
    except (KeyboardInterrupt, typer.Abort):  # older typers abort
        code = _STOPPED
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 1
    except UsageError as error:
        complain_of_usage(error)
        return 2
    except UvfaceError as error:
        complain(str(error))
        return 1
    if code == _STOPPED:
        complain(_stopped(words))
    return code or 0


def _stopped(words: Sequence[str]) -> str:
    """Return what to say of a command that was interrupted."""
    options = _options(words)
    ways = [way for option, way in _WAYS_ON.items() if option in options]
    return "; ".join(["stopped", *ways * _is_batch(words, options)])


def _options(words: Sequence[str]) -> dict[str, Any]:
    """Return the options and arguments of a command, as far as the words can be read."""
    command = _command(words)
    if command is None:
        return {}
    given = command.make_context(words[0], [*words[1:]], resilient_parsing=True).params
    return dict(given)


def _command(words: Sequence[str]) -> Any:
    """Return the command that the first word names, or None."""
    group: Any = typer.main.get_command(app)
    return group.commands.get(*words[:1] or [""])


def _is_batch(words: Sequence[str], options: dict[str, Any]) -> bool:
    """Return whether a command that can go on makes many pictures."""
    # Of the batches themselves JAX would be imported.
    from uvface.editing.output_names import is_many
    from uvface.faceswap.jobs import is_batch

    if words[:1] == ["swap"]:
        return is_batch(options["target"], options["listing"])
    return words[:1] != ["edit"] or is_many(options["photo"] or "")


def _leave(stream: Any) -> None:
    """Send what could not be written nowhere; Python would try again when it ends."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


if __name__ == "__main__":
    sys.exit(main())
