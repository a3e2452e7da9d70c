"""`slopewise site backup` and `slopewise site restore`."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

from slopewise.cli.site import require_libraries


def back_up_site(database: str | None, files: Path | None, target: Path, keep_days: int) -> int:
    """Make a backup, say what it holds and which others there are, and return the exit status."""
    require_libraries()
    from slopewise.site.configuration import database_from
    from slopewise.site.storage.backups import backups_in, make_backup
    from slopewise.site.storage.database import open_known

    opened = open_known(database_from(database), files)
    try:
        made = make_backup(opened, target, datetime.now(UTC), keep_days)
    finally:
        opened.close()
    print(f"{made.file}: {sum(made.manifest.rows.values())} rows, {len(made.manifest.files)} files")
    print("Backups in this folder:")
    for backup in backups_in(made.file.parent):
        expires = backup.manifest.expires
        until = f"kept until {expires:%Y-%m-%d}" if expires else "made before an update"
        print(f"  {backup.manifest.made:%Y-%m-%d %H:%M} UTC  {backup.file.name}  {until}")
    return 0


def restore_site(
    database: str | None,
    files: Path | None,
    file: Path,
    *,
    replace: bool,
    erasures: Path | None,
    without_erasures: bool,
) -> int:
    """Restore a backup, say what became of it, and return the exit status."""
    require_libraries()
    from slopewise.site.configuration import database_from
    from slopewise.site.storage.backups import restore

    done = restore(
        database_from(database),
        files,
        file,
        datetime.now(UTC),
        replace=replace,
        erasures=erasures,
        without_erasures=without_erasures,
    )
    manifest = done.manifest
    print(
        f"Restored: {sum(manifest.rows.values())} rows and {len(manifest.files)} files of "
        f"{manifest.made:%Y-%m-%d %H:%M} UTC. Whoever was erased since is erased again: {done.erased}."
    )
    if done.may_bring_back:
        until = f"of {done.known_until:%Y-%m-%d %H:%M} UTC" if done.known_until else "of no known moment"
        print(
            f"The newest list of erasures is {until}: who deleted their account later is back. If the old "
            "machine has a newer list, restore again with --replace --erasures LIST.",
            file=sys.stderr,
        )
    return 0
