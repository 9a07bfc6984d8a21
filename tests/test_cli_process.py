"""The command line as a process: what stands behind stdout, and what the environment says."""

import io
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from uvface import cli
from uvface.cli import main
from uvface.core.commands import progress
from uvface.core.commands.progress import count_up, track
from uvface.core.io import inspection
from uvface.core.io.sidecar import write_sidecar

PHOTO = Path(__file__).resolve().parents[1] / "examples" / "photos" / "target.jpg"
_PROGRAM = [sys.executable, "-c", "import sys; from uvface.cli import main; sys.exit(main())"]
_CAPTURED: dict[str, Any] = {"capture_output": True, "text": True}


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        (["--help"], 0, "Usage: uvface [OPTIONS] COMMAND"),
        (["inspect", "--help"], 0, "Usage: uvface inspect"),
        (["inspect", "no.jpg"], 1, "error: no.jpg"),
        (["inspect"], 2, "Try 'uvface inspect --help' for help."),
    ],
)
def test_the_package_runs_as_the_program_does(command: list[str], code: int, said: str) -> None:
    """It was "No module named uvface.__main__"."""
    module = subprocess.run([sys.executable, "-m", "uvface", *command], **_CAPTURED)
    program = subprocess.run([*_PROGRAM, *command], **_CAPTURED)
    assert module.returncode == program.returncode == code
    assert (module.stdout, module.stderr) == (program.stdout, program.stderr)
    assert said in module.stdout + module.stderr


def test_words_of_the_process_are_read_by_typer_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """On Windows it expands ~ and * only there, where words elsewhere come from a shell."""
    taken: list[Any] = []

    def take(*, args: Any, **_: Any) -> int:
        taken.append(args)
        return 0

    monkeypatch.setattr(cli, "app", take)
    monkeypatch.setattr(sys, "argv", ["uvface", "inspect", "*.jpg"])
    assert main() == main(["inspect", "a.jpg"]) == main([]) == 0
    assert taken == [None, ["inspect", "a.jpg"], []]


@pytest.mark.parametrize(
    "code",
    [
        "from uvface.cli import main; main(['inspect', PICTURE])",
        "import json, uvface; print(json.dumps(uvface.inspect(PICTURE).record()))",
    ],
)
def test_inspect_does_not_wait_for_jax(tmp_path: Path, code: str) -> None:
    """It takes longer to import than all the rest of the command."""
    picture = tmp_path / "a.png"
    picture.write_bytes(PHOTO.read_bytes())
    write_sidecar(picture, {"operation": "swap"}, inputs={"target": PHOTO})
    code = f"import sys; {code.replace('PICTURE', repr(str(picture)))}"
    run = subprocess.run(
        [sys.executable, "-c", f"{code}; print('jax' in sys.modules)"], **_CAPTURED
    )
    assert '"sidecar_fits": true' in run.stdout and run.stdout.endswith("}\nFalse\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize("command", [["--help"], ["inspect", "PHOTO"]])
def test_a_full_disk_behind_stdout_is_one_line(command: list[str]) -> None:
    command = [str(PHOTO) if word == "PHOTO" else word for word in command]
    with open("/dev/full", "w") as full:
        run = subprocess.run([*_PROGRAM, *command], stdout=full, stderr=subprocess.PIPE, text=True)
    assert run.returncode == 1
    (line,) = run.stderr.splitlines()
    assert line.startswith("error: cannot write the output: No space left")


def test_a_reader_that_has_had_enough_ends_a_command_without_a_word() -> None:
    """What was printed may still lie in the buffer when the command is done."""
    reading, writing = os.pipe()
    os.close(reading)
    command = [*_PROGRAM, "inspect", str(PHOTO)]
    run = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True)
    os.close(writing)
    assert run.returncode == 1 and run.stderr == ""


@pytest.mark.parametrize(("command", "code"), [(["--help"], 0), (["inspect", "no.jpg"], 1)])
def test_a_closed_stdout_takes_nothing_and_stops_nothing(command: list[str], code: int) -> None:
    closed = ["sh", "-c", 'exec "$@" >&-', "sh", *_PROGRAM, *command]
    run = subprocess.run(closed, stderr=subprocess.PIPE, text=True)
    assert run.returncode == code
    assert len(run.stderr.splitlines()) == code and "Traceback" not in run.stderr


@pytest.mark.parametrize(
    ("command", "code"), [(["--help"], 0), (["inspect", "no.jpg"], 1), (["inspect"], 2)]
)
def test_a_stderr_that_nobody_reads_stops_nothing(command: list[str], code: int) -> None:
    """The exit code stays what it was; a batch would go on after a warning."""
    reading, writing = os.pipe()
    os.close(reading)
    run = subprocess.run([*_PROGRAM, *command], stdout=subprocess.PIPE, stderr=writing, text=True)
    os.close(writing)
    assert run.returncode == code
    assert ("Usage" in run.stdout) == (code == 0)


def test_progress_is_shown_though_stdout_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", terminal)
    assert list(track("abc", total=3, title="letters", quiet=False)) == ["a", "b", "c"]
    assert "letters" in terminal.getvalue()
    with count_up(5, title="pictures", quiet=False) as report:
        report(3)
    assert "pictures" in terminal.getvalue() and "3/5" in terminal.getvalue()


def test_a_log_gets_lines_of_progress_now_and_then(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One for a tenth of the work and one for half a minute, on stderr alone."""
    now = 0.0
    monkeypatch.setattr(progress, "monotonic", lambda: now)
    with count_up(1000, title="pictures", quiet=False) as report:
        for done in range(1, 101):
            now += 0.1
            report(done)
        for done in range(101, 106):
            now += 12.0
            report(done)
        report(105)
    out, err = capsys.readouterr()
    assert out == "" and err.splitlines() == [
        "pictures: 100 of 1000 (10 %), 0:01:30 left",
        "pictures: 103 of 1000 (10 %), 0:06:41 left",
    ]


def test_a_terminal_is_told_once_that_a_first_run_compiles(tmp_path: Path) -> None:
    """It was silent for a minute; later runs, quiet ones and logs are left alone."""
    code = (
        "import sys; sys.stderr.isatty = lambda: {terminal}; "
        "from uvface.core.commands.options import set_up; "
        "from uvface.core.commands.progress import tell_of_compiling; "
        "set_up('auto'); tell_of_compiling(quiet={quiet}); import jax; "
        "[jax.jit(lambda x: x * number)(jax.numpy.zeros({size})) for number in (2, 3)]"
    )

    def said(*, terminal: bool, quiet: bool, size: int) -> str:
        program = [sys.executable, "-c", code.format(terminal=terminal, quiet=quiet, size=size)]
        environment = os.environ | {"UVFACE_CACHE": str(tmp_path), "JAX_PLATFORMS": "cpu"}
        run = subprocess.run(program, env=environment, capture_output=True, text=True)
        assert run.returncode == 0
        return run.stderr

    first = said(terminal=True, quiet=False, size=1)
    assert first == "preparing: a first run compiles; later ones take it from the cache\n"
    assert said(terminal=True, quiet=False, size=1) == ""
    assert said(terminal=True, quiet=True, size=2) == ""
    assert said(terminal=False, quiet=False, size=3) == ""


def test_nothing_is_shown_for_one_thing_or_where_nobody_looks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nor in a log by commands that print a line for each thing."""
    file = io.StringIO()
    monkeypatch.setattr(sys, "stderr", file)
    assert list(track("abc", total=3, title="letters", quiet=False)) == ["a", "b", "c"]
    with count_up(5, title="pictures", quiet=True) as report:
        report(3)
    monkeypatch.setattr(file, "isatty", lambda: True)
    with count_up(5, title="pictures", quiet=True) as report:
        report(3)
    with count_up(1, title="pictures", quiet=False) as report:
        report(1)
    assert file.getvalue() == ""


def test_what_another_file_refuses_is_no_failure_of_stdout(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Nobody expected it: it keeps its traceback, and stdout goes on."""

    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", "elsewhere.bin")

    monkeypatch.setattr(inspection, "read_provenance", refuse)
    with pytest.raises(PermissionError, match=r"elsewhere\.bin"):
        main(["inspect", "a.jpg"])
    os.write(1, b"still here")
    assert capfd.readouterr() == ("still here", "")


def test_a_failure_of_stdout_without_a_number_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError("the drive is gone")

    monkeypatch.setattr(sys, "stdout", Gone())
    assert main(["--help"]) == 1
    assert capsys.readouterr().err == "error: cannot write the output: the drive is gone\n"


def test_a_platform_of_the_environment_that_is_not_there_is_one_line() -> None:
    command = [*_PROGRAM, "reconstruct", str(PHOTO), "-o", "out"]
    environment = os.environ | {"JAX_PLATFORMS": "abacus"}
    run = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert run.returncode == 1
    (line,) = run.stderr.splitlines()
    assert "JAX_PLATFORMS=abacus" in line and "unset it, or use --device cpu" in line


# What a script starts in the background ignores it.
_HEED_SIGINT = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "


@pytest.mark.weights
@pytest.mark.skipif(os.name == "nt", reason="Windows sends no SIGINT to a process of a test")
@pytest.mark.parametrize("sent", ["SIGINT", "SIGTERM"])
def test_ctrl_c_is_one_line_that_says_how_to_go_on(tmp_path: Path, sent: str) -> None:
    """It ended without a word; what was written until then is whole."""
    photos = tmp_path / "photos"
    photos.mkdir()
    for number in range(200):
        (photos / f"{number}.jpg").symlink_to(PHOTO)
    arguments = ["reconstruct", str(photos), "-o", str(tmp_path / "out"), "--save", "landmarks"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    python, option, code = _PROGRAM
    program = [python, option, _HEED_SIGINT + code]
    with subprocess.Popen([*program, *arguments], text=True, **pipes) as run:
        assert run.stdout is not None and "1 face" in run.stdout.readline()
        run.send_signal(getattr(signal, sent))
        _, errors = run.communicate(timeout=60)
    assert run.returncode == 130
    assert errors == "error: stopped; a batch goes on where it was with --skip-existing\n"
    assert not [path for path in (tmp_path / "out").rglob(".*")]


# Sends Ctrl-C in the midst of an import, as an extension of JAX imports it.
_INTERRUPTED = """
import os, signal, sys
class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == "numpy":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupting())
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no SIGINT to a process of a test")
def test_ctrl_c_while_jax_is_imported_is_one_line(tmp_path: Path) -> None:
    """JAX's extension made an ImportError of it, with a traceback of 77 lines, or aborted."""
    python, option, code = _PROGRAM
    program = [python, option, f"{_HEED_SIGINT}{_INTERRUPTED}{code}"]
    words = ["swap", "a.jpg", "b.jpg", "-o", str(tmp_path / "out.png")]
    run = subprocess.run([*program, *words], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (130, "error: stopped\n")


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("swap -q . b.jpg -o out", "with --skip-existing"),
        ("swap -o out *.jpg b.jpg", "with --skip-existing"),
        ("swap --list pairs.csv -o out", "with --skip-existing"),
        ("swap -o . a.jpg b.jpg --faces all", "error: stopped\n"),  # one photo: no batch
        ("edit -o b.png a.jpg --retouch skin=1", "error: stopped\n"),
        ("edit -o out . --retouch skin=1", "with --skip-existing"),
        ("augment a.jpg -o out", "with --skip-existing"),
        ("train", "with --resume"),
        ("inspect a.jpg", "error: stopped\n"),
        ("swap-video a.mp4 b.jpg -o c.mp4", "error: stopped\n"),
        ("edit-video a.mp4 -o c.mp4 --light left=1", "error: stopped\n"),
        ("nothing", "error: stopped\n"),
        ("", "error: stopped\n"),
    ],
)
def test_how_a_stopped_command_goes_on_is_said_where_it_can(
    command: str, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(type(cli.app), "__call__", stop)
    assert main(command.split()) == 130
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1


def test_what_to_say_of_a_stopped_swap_is_known_without_jax() -> None:
    """Whoever stops a command waits for no imports."""
    told = "cli._stopped(sys.argv[1:]), 'jax' in sys.modules"
    code = f"import sys; from uvface import cli; print({told})"
    words = ["swap", "*.jpg", "b.jpg", "-o", "out"]
    run = subprocess.run([sys.executable, "-c", code, *words], **_CAPTURED, check=True)
    assert run.stdout.endswith("with --skip-existing False\n")


@pytest.mark.parametrize("words", ["synthesize -n 1", "train --pool a --large"])
def test_options_that_do_not_go_together_are_told_without_jax(words: str, tmp_path: Path) -> None:
    code = "import sys; from uvface import cli; print(cli.main(), 'jax' in sys.modules)"
    call = [sys.executable, "-c", code, *words.split(), "-o", str(tmp_path / "out")]
    run = subprocess.run(call, **_CAPTURED, check=True)
    assert run.stdout == "2 False\n" and run.stderr.startswith("error: ")
