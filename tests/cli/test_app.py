"""The commands as a user meets them: usage, exit status, one line for what is wrong."""

import os
import subprocess
import sys

import polars as pl
import pytest

from slopewise import __version__
from slopewise.cli.app import run


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_help_names_every_command(arguments, capsys):
    assert run(arguments) == 0
    shown = capsys.readouterr().out
    for command in ("fit", "resume", "evaluate", "predict", "report", "generate"):
        assert command in shown


def test_version_is_printed(capsys):
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"slopewise {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["ift"], "No such command 'ift'"),
        (["fit", "data.csv"], "Missing option '--target'"),
        (["fit", "data.csv", "--target", "y", "--epochs", "0"], "--epochs"),
        (["fit", "data.csv", "--target", "y", "--epochs", "many"], "--epochs"),
        (["fit", "data.csv", "--target", "y", "--seed", "-1"], "--seed"),
        (["fit", "data.csv", "--target", "y", "--hidden", "64;64"], "--hidden is '64;64'"),
        (["fit", "data.csv", "--target", "y", "--batch-size", "some"], "--batch-size is 'some'"),
        (["fit", "data.csv", "--target", "y", "--taget", "x"], "--taget"),
        (["predict", "run"], "Missing argument 'DATA'"),
        (["generate", "mons"], "kinds are blobs, moons"),
        (["generate", "moons", "--missing", "2"], "missing is a share"),
        (["report", "no/such/run"], "does not exist"),
    ],
)
def test_bad_usage_is_one_line_and_status_2(arguments, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(arguments) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("slopewise: error: ")
    assert shown.err.count("\n") == 1
    assert message in shown.err
    assert list(tmp_path.iterdir()) == []


def test_an_error_stays_one_harmless_line_whatever_it_quotes(capsys):
    assert run(["report", "a\nb\x1b[31m"]) == 2
    shown = capsys.readouterr().err
    assert shown.count("\n") == 1
    assert "\x1b" not in shown


def test_generate_writes_the_same_table_for_the_same_seed(tmp_path, capsys):
    first, second, other = (tmp_path / name for name in ("a.csv", "b.csv", "c.csv"))
    for path, seed in ((first, "1"), (second, "1"), (other, "2")):
        arguments = [
            "generate",
            "blobs",
            "--rows",
            "40",
            "--classes",
            "4",
            "--missing",
            "0.1",
            "--seed",
            seed,
        ]
        assert run([*arguments, "--out", str(path)]) == 0
    assert first.read_bytes() == second.read_bytes() != other.read_bytes()
    assert f"{first}: 40 rows" in capsys.readouterr().out
    frame = pl.read_csv(first)
    assert frame.shape == (40, 3)
    assert frame["class"].n_unique() == 4
    assert frame["x1"].null_count() + frame["x2"].null_count() == 8


def test_generate_prints_the_table_without_out(capfdbinary):
    assert run(["generate", "sine", "-n", "3"]) == 0
    assert capfdbinary.readouterr().out.splitlines()[0] == b"x1,y"


def test_a_pipe_is_written_to_and_not_replaced(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", str(pipe)], stdout=subprocess.PIPE, text=True) as reader:
        assert run(["generate", "moons", "-n", "2", "--out", str(pipe)]) == 0
        assert len(reader.communicate(timeout=30)[0].splitlines()) == 3
    assert pipe.is_fifo()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no full device")
def test_a_full_device_is_named(capsys):
    assert run(["generate", "moons", "--out", "/dev/full"]) == 2
    assert "cannot write /dev/full: the disk is full" in capsys.readouterr().err
    with open("/dev/full", "wb") as full:
        arguments = [sys.executable, "-m", "slopewise", "generate", "moons"]
        done = subprocess.run(arguments, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    assert done.returncode == 2
    assert done.stderr.startswith("slopewise: error: cannot write standard output: the disk is full")
    assert done.stderr.count("\n") == 1


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no full device")
@pytest.mark.parametrize("options", [[], ["--json"]])
def test_what_a_run_says_into_a_full_file_is_one_error(tmp_path, options):
    table = tmp_path / "data.csv"
    assert run(["generate", "moons", "-n", "40", "--out", str(table)]) == 0
    fit = ["fit", str(table), "--target", "class", "--epochs", "1", "--out", str(tmp_path / "run")]
    with open("/dev/full", "wb") as full:
        arguments = [sys.executable, "-m", "slopewise", *fit, *options]
        done = subprocess.run(arguments, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    assert done.returncode == 2
    assert done.stderr.startswith("slopewise: error: cannot write standard output: the disk is full")
    assert done.stderr.count("\n") == 1


def test_too_little_memory_is_one_line_with_a_way_out(monkeypatch, capsys):
    def exhausted(*arguments, **options):
        raise MemoryError("Unable to allocate 37.3 GiB")

    monkeypatch.setattr("slopewise.cli.jobs.fit_job", exhausted)
    assert run(["fit", "data.csv", "--target", "y"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("slopewise: error: out of memory (Unable to allocate 37.3 GiB): use fewer rows")
    assert error.count("\n") == 1


def test_a_link_goes_on_to_point_to_the_file_that_is_written(tmp_path):
    (tmp_path / "link.csv").symlink_to(tmp_path / "file.csv")
    assert run(["generate", "moons", "-n", "2", "--out", str(tmp_path / "link.csv")]) == 0
    assert (tmp_path / "link.csv").is_symlink()
    assert len((tmp_path / "file.csv").read_text().splitlines()) == 3


def test_a_table_that_cannot_be_written_is_named(tmp_path, capsys):
    assert run(["generate", "moons", "--out", str(tmp_path / "no" / "folder.csv")]) == 2
    assert "cannot write" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_help_loads_no_heavy_library():
    code = (
        "import sys; from slopewise.cli.app import run; run(['fit', '--help']);"
        "heavy = {'polars', 'altair', 'vl_convert', 'jinja2', 'safetensors', 'narwhals'} & set(sys.modules);"
        "sys.exit(f'loaded {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_a_reader_that_goes_away_is_no_error():
    code = (
        "import sys; from slopewise.cli.app import run; sys.exit(run(['generate', 'moons', '-n', '200000']))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 0
