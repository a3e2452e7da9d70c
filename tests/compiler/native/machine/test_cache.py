"""Objects on disk: found again, never trusted beyond their checksum, key and owner, and bounded."""

import ctypes
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from slopewise.compiler.native.machine import cache
from slopewise.compiler.native.machine.cache import compile_cached, key_of, load, open_folder, store
from slopewise.compiler.native.machine.toolchain import Pipeline

TEXT = "define i64 @f() {\n  ret i64 7\n}"
POSIX = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="owners and permissions are POSIX's")
ROOT = hasattr(os, "geteuid") and os.geteuid() == 0


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("SLOPEWISE_CACHE", str(tmp_path))
    return tmp_path / "objects"


def call(code):
    return ctypes.CFUNCTYPE(ctypes.c_int64)(code.address("f"))()


def the_only(folder):
    (path,) = folder.iterdir()
    return path


def test_the_second_compilation_comes_from_the_disk(folder):
    first = compile_cached(TEXT)
    second = compile_cached(TEXT)
    assert first.timings is not None
    assert second.timings is None
    assert first.image == second.image
    assert call(second) == 7


def test_another_process_finds_the_object(folder):
    program = (
        "from slopewise.compiler.native.machine.cache import compile_cached\n"
        f"print(compile_cached({TEXT!r}).timings is None)"
    )
    said = [
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    ]
    assert [line.strip() for line in said] == ["False", "True"]


def test_other_text_and_other_options_have_other_keys(folder):
    compile_cached(TEXT)
    assert compile_cached(TEXT.replace("7", "8")).timings is not None
    assert compile_cached(TEXT, Pipeline(level=2)).timings is not None
    assert len(list(folder.iterdir())) == 3


def test_a_key_depends_on_machine_versions_and_compiler(monkeypatch):
    keys = {key_of("graph")}
    for target, name, value in [
        (cache, "__version__", "9.9"),
        (cache.toolchain, "version", lambda: "llvmlite 9"),
        (cache.toolchain, "host", lambda: ("triple", "another processor", "+avx", 32, True)),
        (cache, "__file__", str(Path(cache.__file__).parent / "sub" / "x.py")),
    ]:
        with monkeypatch.context() as context:
            context.setattr(target, name, value)
            cache._surroundings.cache_clear()
            keys.add(key_of("graph"))
    cache._surroundings.cache_clear()
    assert len(keys) == 5


def test_parts_of_a_key_do_not_run_together():
    assert len({key_of("ab", "c"), key_of("a", "bc"), key_of("abc"), key_of("abc", "")}) == 4
    assert key_of(b"abc") == key_of("abc")


DAMAGE = {
    "empty": lambda content: b"",
    "truncated head": lambda content: content[:50],
    "truncated object": lambda content: content[:-1],
    "longer": lambda content: content + b"\0",
    "a bit flipped in the object": lambda content: content[:-20] + bytes([content[-20] ^ 1]) + content[-19:],
    "a bit flipped in the checksum": lambda content: (
        content[:100] + bytes([content[100] ^ 1]) + content[101:]
    ),
    "foreign": lambda content: b"\x7fELF" + content[4:],
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_a_damaged_file_is_ignored_removed_and_written_anew(folder, damage):
    compile_cached(TEXT)
    path = the_only(folder)
    whole = path.read_bytes()
    path.write_bytes(damage(whole))
    assert load(path.stem) is None
    assert not path.exists()
    assert compile_cached(TEXT).timings is not None
    assert path.read_bytes() == whole


def test_an_object_under_another_key_is_ignored(folder):
    store(key_of("one"), b"object")
    path = the_only(folder)
    path.rename(path.with_name(f"{key_of('two')}.object"))
    assert load(key_of("two")) is None


@POSIX
def test_folder_and_files_are_made_for_the_user_alone(folder):
    store(key_of("one"), b"object")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(the_only(folder).stat().st_mode) == 0o600


@POSIX
@pytest.mark.parametrize("mode", [0o777, 0o720, 0o702])
def test_a_folder_that_others_can_write_is_neither_read_nor_written(folder, mode):
    store(key_of("one"), b"object")
    folder.chmod(mode)
    assert load(key_of("one")) is None
    store(key_of("two"), b"object")
    assert len(list(folder.iterdir())) == 1
    assert "others can write" in open_folder().refusal


@POSIX
@pytest.mark.parametrize("mode", [0o620, 0o602])
def test_a_file_that_others_can_write_is_not_read(folder, mode):
    store(key_of("one"), b"object")
    the_only(folder).chmod(mode)
    assert load(key_of("one")) is None


@POSIX
def test_what_belongs_to_another_user_is_not_read(folder, monkeypatch):
    store(key_of("one"), b"object")
    status = the_only(folder).stat()
    assert cache._is_private(status)
    monkeypatch.setattr(os, "geteuid", lambda: status.st_uid + 1)
    assert not cache._is_private(status)
    assert open_folder().path is None
    assert load(key_of("one")) is None


@POSIX
def test_a_folder_that_is_a_symbolic_link_is_refused(folder, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    folder.symlink_to(elsewhere)
    store(key_of("one"), b"object")
    assert list(elsewhere.iterdir()) == []
    assert "not a folder" in open_folder().refusal


@POSIX
def test_a_file_that_is_a_symbolic_link_or_a_pipe_is_not_read(folder):
    store(key_of("one"), b"object")
    path = the_only(folder)
    moved = path.rename(path.with_name("moved"))
    path.symlink_to(moved)
    assert load(key_of("one")) is None
    path.unlink()
    os.mkfifo(path, 0o600)
    assert load(key_of("one")) is None


def test_off_neither_reads_nor_writes(folder, monkeypatch):
    store(key_of("one"), b"object")
    monkeypatch.setenv("SLOPEWISE_CACHE", "off")
    assert load(key_of("one")) is None
    assert compile_cached(TEXT).timings is not None
    assert compile_cached(TEXT).timings is not None
    assert len(list(folder.iterdir())) == 1


def test_a_folder_that_cannot_be_made_is_no_error(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SLOPEWISE_CACHE", str(tmp_path / "file"))
    assert call(compile_cached(TEXT)) == 7
    assert "cannot be made" in open_folder().refusal


def test_a_relative_folder_is_refused_with_the_way_out(monkeypatch):
    monkeypatch.setenv("SLOPEWISE_CACHE", "somewhere")
    assert "absolute" in open_folder().refusal


@pytest.mark.skipif(not hasattr(os, "geteuid") or ROOT, reason="permissions do not hold back root")
def test_a_read_only_folder_is_no_error(folder):
    store(key_of("one"), b"object")
    folder.chmod(0o500)
    store(key_of("two"), b"object")
    assert load(key_of("one")) == b"object"
    folder.chmod(0o700)


def test_a_full_disk_is_no_error_and_leaves_nothing(folder, monkeypatch):
    def full(*args):
        raise OSError(28, "No space left on device")

    open_folder()
    monkeypatch.setattr(os, "replace", full)
    store(key_of("one"), b"object")
    assert list(folder.iterdir()) == []


def test_what_was_not_used_for_longest_goes_first(folder, monkeypatch):
    monkeypatch.setattr(cache, "SIZE_LIMIT", 10_000)
    keys = [key_of(str(number)) for number in range(10)]
    for age, key in enumerate(reversed(keys[:9])):
        store(key, bytes(900))
        os.utime(folder / f"{key}.object", (1_000_000 - age, 1_000_000 - age))
    load(keys[0])  # the oldest, but used
    store(keys[9], bytes(2000))
    left = [key for key in keys if load(key) is not None]
    assert left[0] == keys[0]
    assert left[1:] == keys[10 - len(left) + 1 :]
    assert 5_000 < sum(path.stat().st_size for path in folder.iterdir()) <= 7_500


def test_files_left_unfinished_are_removed_after_a_while(folder):
    open_folder()
    old, new = folder / "unfinished-old", folder / "unfinished-new"
    for path in (old, new):
        path.write_bytes(b"half")
    os.utime(old, (0, 0))
    store(key_of("one"), b"object")
    assert not old.exists()
    assert new.exists()


def test_writers_at_once_leave_a_whole_object(folder):
    program = (
        "import sys\nfrom slopewise.compiler.native.machine.cache import load, store\n"
        "image = bytes(200_000)\n"
        "for number in range(30):\n"
        "    store('a' * 64, image)\n"
        "    assert load('a' * 64) == image\n"
    )
    writers = [
        subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE, text=True) for _ in range(3)
    ]
    for writer in writers:
        assert writer.wait() == 0, writer.stderr.read()
        writer.stderr.close()
    assert [path.name for path in folder.iterdir()] == ["a" * 64 + ".object"]


def test_the_folder_follows_the_custom_of_the_system(monkeypatch, tmp_path):
    monkeypatch.delenv("SLOPEWISE_CACHE", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setattr(sys, "platform", "linux")
    assert open_folder().path == tmp_path / "xdg" / "slopewise" / "objects"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert open_folder().path == tmp_path / ".cache" / "slopewise" / "objects"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert open_folder().path == tmp_path / "Library" / "Caches" / "slopewise" / "objects"
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    assert open_folder().path == tmp_path / "local" / "slopewise" / "cache" / "objects"
