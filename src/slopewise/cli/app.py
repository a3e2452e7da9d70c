"""The commands of `slopewise`; thin: parse, call, print.

Exit status: 0 done; 2 bad usage or bad input, with one line on stderr; 130 stopped by Ctrl-C. Anything else
is a mistake of ours and shows its traceback. What a command does not need is not imported for it.
"""

from __future__ import annotations

import io
import os
import shlex
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from slopewise._version import __version__
from slopewise.engine.errors import ArgumentError, SlopewiseError

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Train neural networks on tables, and see how good they are.",
)

Data = Annotated[Path, typer.Argument(metavar="DATA", help="A table: CSV, TSV, Parquet or Arrow.")]
Run = Annotated[Path, typer.Argument(metavar="RUN", help="A run folder, as fit prints it.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object at the end, and nothing else.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print the result only.")]


# For the allocator of polars, which reads it when polars is loaded: what one stage of a job freed goes back
# to the system at once, not a second later, when the next stage has its own.
PROMPT_RELEASE = "dirty_decay_ms:0,muzzy_decay_ms:0"


def main(arguments: list[str] | None = None) -> None:
    """Run a command and exit with its status."""
    os.environ.setdefault("_RJEM_MALLOC_CONF", PROMPT_RELEASE)
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: list[str]) -> int:
    """Run a command and return its exit status."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character shows "?" rather than end the run.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        command = shlex.join(["slopewise", *arguments])
        status = app(arguments, prog_name="slopewise", standalone_mode=False, obj=command)
        sys.stdout.flush()
    except typer.TyperException as error:
        return _complain(_usage_message(error))
    except (SlopewiseError, typer.Abort) as error:
        return _complain(str(error) or "stopped")
    except MemoryError as error:
        what = f"out of memory ({error})" if str(error) else "out of memory"
        return _complain(
            f"{what}: use fewer rows or columns, a smaller --hidden, or a machine with more memory"
        )
    except BrokenPipeError:
        from slopewise.cli.terminal import discard

        discard(sys.stdout)  # its reader has gone (`... | head`): nothing is wrong, but Python would complain
        return 0
    return status if isinstance(status, int) else 0


def _complain(message: str) -> int:
    """Print one line, whatever the message holds, and return the status of bad input."""
    from slopewise.evaluate.display import visible

    print(f"slopewise: error: {visible(message, 2000)}", file=sys.stderr)
    return 2


def _usage_message(error: Any) -> str:
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "slopewise"
    return f"{error.format_message().rstrip('.')}; see `{command} --help`"


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"slopewise {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _options(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """Options before the command; without one, the help is shown."""
    if context.invoked_subcommand is None:
        print(context.get_help())


@app.command()
def fit(
    context: typer.Context,
    data: Data,
    target: Annotated[str, typer.Option("--target", "-t", metavar="COLUMN", help="The column to predict.")],
    task: Annotated[str, typer.Option(help="auto, classification or regression.")] = "auto",
    out: Annotated[
        Path | None, typer.Option(metavar="RUN", help="The run folder. Default: runs/<data>-<n>.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Rules the split, the weights and the order of rows.")] = 0,
    epochs: Annotated[int | None, typer.Option(min=1, help="At most so many passes over the rows.")] = None,
    batch_size: Annotated[
        str | None, typer.Option(metavar="N|full", help="Rows per update. Default: by the number of rows.")
    ] = None,
    optimizer: Annotated[str | None, typer.Option(metavar="NAME", help="adam, sgd, momentum, ...")] = None,
    lr: Annotated[float | None, typer.Option(metavar="X", help="The learning rate.")] = None,
    hidden: Annotated[
        str | None, typer.Option(metavar="64,64", help="Units of each hidden layer, or none.")
    ] = None,
    group: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Rows of a group stay in one part of the split.")
    ] = None,
    time: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Train on the oldest rows, test on the newest.")
    ] = None,
    quiet: Quiet = False,
    json: Json = False,
) -> int:
    """Train a network on a table, test it, and write a report."""
    from slopewise.cli.jobs import fit_job
    from slopewise.train.preparation import Question

    settings = _settings(epochs=epochs, batch_size=batch_size, optimizer=optimizer, lr=lr, hidden=hidden)
    question = Question(target, task, group, time, seed)
    return fit_job(data, question, settings, out, command=context.obj, quiet=quiet, json=json)


@app.command()
def resume(run: Run, quiet: Quiet = False, json: Json = False) -> int:
    """Go on with a run that was stopped, to the same bits as if it had not been."""
    from slopewise.cli.jobs import resume_job

    return resume_job(run, quiet=quiet, json=json)


@app.command()
def evaluate(run: Run, data: Data, json: Json = False) -> int:
    """Score a run on a table that holds the target."""
    from slopewise.cli.jobs import evaluate_job

    return evaluate_job(run, data, json=json)


@app.command()
def predict(
    run: Run,
    data: Data,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A CSV file. Default: standard output.")
    ] = None,
) -> int:
    """Predict the target for each row of a table, as CSV."""
    from slopewise.cli.jobs import predict_job

    return predict_job(run, data, out)


@app.command()
def report(run: Run) -> int:
    """Write the report of a run again, from what its folder holds."""
    from slopewise.cli.jobs import report_job

    return report_job(run)


@app.command()
def generate(
    kind: Annotated[
        str,
        typer.Argument(metavar="KIND", help="moons, blobs, circles, spirals, checkerboard, linear or sine."),
    ],
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A CSV file. Default: standard output.")
    ] = None,
    rows: Annotated[int, typer.Option("--rows", "-n", min=1, help="How many rows.")] = 500,
    noise: Annotated[
        float | None, typer.Option(help="Standard deviation of the noise. Default: the kind's.")
    ] = None,
    classes: Annotated[int | None, typer.Option(help="How many classes.")] = None,
    imbalance: Annotated[float, typer.Option(help="Rows of the first class for each of the last.")] = 1.0,
    missing: Annotated[float, typer.Option(help="Share of the input cells that are missing.")] = 0.0,
    features: Annotated[int | None, typer.Option(help="How many inputs, for blobs and linear.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same table.")] = 0,
) -> int:
    """Make a table with a known answer, as CSV."""
    from slopewise.cli.tables import write_table
    from slopewise.data import generate_table

    table = generate_table(kind, rows, noise, classes, imbalance, missing, features, seed)
    return write_table(table.frame, out)


site_commands = typer.Typer(rich_markup_mode=None, context_settings={"help_option_names": ["-h", "--help"]})
app.add_typer(site_commands, name="site", rich_help_panel=None)

SiteDatabase = Annotated[
    str | None, typer.Option("--database", metavar="URL", help="Default: a file in your data folder.")
]
PublicUrl = Annotated[
    str, typer.Option(metavar="URL", help="The https address that users type; needed off loopback.")
]
SiteFiles = Annotated[
    Path | None,
    typer.Option(
        "--files",
        metavar="FOLDER",
        envvar="SLOPEWISE_FILES",
        help="Where files are kept; by default beside the database file, or in your data folder.",
    ),
]
Email = Annotated[str, typer.Argument(metavar="EMAIL", help="The address of an account.")]
Day = Annotated[str, typer.Option(metavar="YYYY-MM-DD", help="The last day.")]


@site_commands.callback(invoke_without_command=True)
def site(
    context: typer.Context,
    host: Annotated[str, typer.Option(metavar="NAME", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; 0 takes a free one.")] = 8000,
    database: SiteDatabase = None,
    files: SiteFiles = None,
    public_url: PublicUrl = "",
    allowed_host: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Another name under which it is reached; may be repeated."),
    ] = None,
    trusted_proxy: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ADDRESS",
            help="A proxy, or a network of them, that tells visitors' addresses; may be repeated. "
            "Default: this machine.",
        ),
    ] = None,
    metrics_port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Serve metrics there, on loopback only.")
    ] = None,
    pages: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Your privacy.md, terms.md and contact.md."),
    ] = None,
    opens: Annotated[bool, typer.Option("--open", help="Open it in the browser of this desktop.")] = False,
) -> int:
    """Serve the tutorial: lessons whose labs run on the engine, and flash cards."""
    if context.invoked_subcommand is not None:
        context.obj = {"database": database, "public_url": public_url, "files": files}
        return 0
    from slopewise.cli.site import serve_site

    return serve_site(
        host,
        port,
        database,
        public_url,
        files=files,
        allowed_names=tuple(allowed_host or ()),
        trusted_proxies=tuple(trusted_proxy or ()),
        metrics_port=metrics_port,
        pages=pages,
        opens=opens,
    )


@site_commands.command("create-admin")
def create_admin(
    context: typer.Context, email: Email, database: SiteDatabase = None, public_url: PublicUrl = ""
) -> int:
    """Make an account the owner's, and print a link to choose its password."""
    return _administer("create-admin", context, database, public_url=public_url, email=email)


@site_commands.command("reset-password")
def reset_password(
    context: typer.Context, email: Email, database: SiteDatabase = None, public_url: PublicUrl = ""
) -> int:
    """Print a link by which somebody chooses a new password."""
    return _administer("reset-password", context, database, public_url=public_url, email=email)


@site_commands.command("grant-pro")
def grant_pro(context: typer.Context, email: Email, until: Day, database: SiteDatabase = None) -> int:
    """Give somebody a Pro membership."""
    return _administer("grant-pro", context, database, email=email, until=until)


@site_commands.command("revoke-pro")
def revoke_pro(context: typer.Context, email: Email, database: SiteDatabase = None) -> int:
    """End somebody's Pro membership now."""
    return _administer("revoke-pro", context, database, email=email)


@site_commands.command("make-codes")
def make_codes(
    context: typer.Context,
    expires: Day,
    count: Annotated[int, typer.Option(help="How many.")] = 1,
    days: Annotated[int, typer.Option(help="The days of membership that a code gives.")] = 365,
    database: SiteDatabase = None,
) -> int:
    """Print codes that can be redeemed once each. They are not shown again."""
    return _administer("make-codes", context, database, count=count, days=days, expires=expires)


@site_commands.command("backup")
def backup(
    context: typer.Context,
    target: Annotated[Path, typer.Argument(metavar="FILE", help="A file, or a folder for many.")],
    keep_days: Annotated[
        int, typer.Option(min=1, max=3660, help="How long it is kept; those past their days are deleted.")
    ] = 30,
    database: SiteDatabase = None,
    files: SiteFiles = None,
) -> int:
    """Back up the database and the files of learners, while the site serves."""
    from slopewise.cli.site_backups import back_up_site

    before = context.obj
    return back_up_site(database or before["database"], files or before["files"], target, keep_days)


@site_commands.command("restore")
def restore(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What slopewise site backup wrote.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Put it in the place of what is in the database.")
    ] = False,
    erasures: Annotated[
        Path | None,
        typer.Option(metavar="LIST", help="Who was erased; unless told, slopewise.erased beside the backup."),
    ] = None,
    without_erasures: Annotated[
        bool,
        typer.Option("--without-erasures", help="Restore even if nothing tells who was erased since."),
    ] = False,
    database: SiteDatabase = None,
    files: SiteFiles = None,
) -> int:
    """Restore a backup, into an empty database of either kind. Stop the site first."""
    from slopewise.cli.site_backups import restore_site

    before = context.obj
    return restore_site(
        database or before["database"],
        files or before["files"],
        file,
        replace=replace,
        erasures=erasures,
        without_erasures=without_erasures,
    )


@site_commands.command("check-payments")
def check_payments(context: typer.Context, database: SiteDatabase = None) -> int:
    """Ask Stripe for all subscriptions, and correct memberships by what it says."""
    return _administer("check-payments", context, database)


@site_commands.command("import-content")
def import_content(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What make pro-content builds.")],
    force: Annotated[bool, typer.Option("--force", help="Also if a newer one is loaded.")] = False,
    database: SiteDatabase = None,
) -> int:
    """Load decks from a content archive; a running site shows them at once."""
    return _administer("import-content", context, database, file=file, force=force)


card_commands = typer.Typer(rich_markup_mode=None, context_settings={"help_option_names": ["-h", "--help"]})
app.add_typer(card_commands, name="cards", rich_help_panel=None)

SiteAddress = Annotated[
    str | None,
    typer.Option(
        "--site", metavar="URL", help="Default: SLOPEWISE_SITE, where you last logged in, or this machine."
    ),
]


@card_commands.callback(invoke_without_command=True)
def cards(
    context: typer.Context,
    site: SiteAddress = None,
    due: Annotated[bool, typer.Option("--due", help="Print how many cards wait, and nothing else.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print that as one JSON object.")] = False,
) -> int:
    """Review the flash cards of your day in the terminal, by the schedule of the site."""
    if context.invoked_subcommand is not None:
        context.obj = site
        return 0
    from slopewise.cli.cards import show_cards

    return show_cards(site, due=due, json=json)


@card_commands.command("log-in")
def cards_log_in(context: typer.Context, site: SiteAddress = None) -> int:
    """Ask for a token of your account's page, and keep it for you alone."""
    from slopewise.cli.cards import log_in

    return log_in(site or context.obj)


@card_commands.command("log-out")
def cards_log_out(context: typer.Context, site: SiteAddress = None) -> int:
    """Send what waits, revoke the token, and delete the cards that were fetched."""
    from slopewise.cli.cards import log_out

    return log_out(site or context.obj)


def _administer(command: str, context: typer.Context, database: str | None, **given: Any) -> int:
    """Run a command of the site's owner; options may stand before its name or after it."""
    from slopewise.cli.site import administer

    before = context.obj
    if "public_url" in given:
        given["public_url"] = given["public_url"] or before["public_url"]
    return administer(command, database or before["database"], files=before["files"], **given)


def _settings(
    *,
    epochs: int | None,
    batch_size: str | None,
    optimizer: str | None,
    lr: float | None,
    hidden: str | None,
) -> Any:
    """Return the defaults, changed where an option was given."""
    from dataclasses import replace

    from slopewise.train.defaults import DEFAULTS

    given: dict[str, Any] = {"epochs": epochs, "optimizer": optimizer, "lr": lr}
    if batch_size is not None:
        given["batch_size"] = (
            "full" if batch_size == "full" else _whole("--batch-size", batch_size, "or full")
        )
    if hidden is not None:
        units = [] if hidden.strip().lower() == "none" else hidden.split(",")
        given["hidden"] = tuple(_whole("--hidden", unit, "such as 64,64, or none") for unit in units)
    return replace(DEFAULTS, **{name: value for name, value in given.items() if value is not None})


def _whole(option: str, text: str, also: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ArgumentError(f"{option} is {text!r}: use whole numbers, {also}") from None
