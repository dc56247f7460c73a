"""`yunliu`: everything that is done from a terminal. Each command says what it did, or in one sentence why not."""

from __future__ import annotations

import functools
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine.errors import AppError
from engine.i18n import reading_as
from webapp import garbage, lifeline, logs
from webapp.serve import PortTaken
from webapp.settings import Settings, SettingsError, list_settings, load_settings

if TYPE_CHECKING:
    from engine.journal import Break

HOST = click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
PORT = click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))

# Heavy parts are imported by the command that needs them: `yunliu --help` answers at once.


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="yunliu", message="%(version)s")
@click.pass_context
def main(context: click.Context) -> None:
    """Yunliu (云流): BPM, CRM and office collaboration on one workflow engine.

    Settings come from environment variables; `yunliu settings` lists them.
    """
    garbage.let_grow()
    logs.configure()
    context.with_resource(reading_as("en"))


def command(function: Callable[..., None]) -> click.Command:
    """A command that gets the settings first and turns refusals into one readable line."""

    @functools.wraps(function)
    def run(*arguments: Any, **options: Any) -> None:
        try:
            function(load_settings(), *arguments, **options)
        except (AppError, SettingsError, PortTaken) as error:
            raise click.ClickException(str(error)) from error

    return main.command(name=function.__name__.removesuffix("_command").replace("_", "-"))(run)


# ------------------------------------------------------------------------------------------------- processes


@command
@HOST
@PORT
@click.option("--demo", is_flag=True, help="With the small demo company; devices are simulated.")
def serve(settings: Settings, host: str, port: int, demo: bool) -> None:
    """Bring the database up to date and run everything: web, worker and timers."""
    from webapp.house import open_house

    open_house(settings, host=host, port=port, demo=demo)


@command
@HOST
@PORT
@click.option("--processes", default=1, show_default=True, type=click.IntRange(1, 64))
def web(settings: Settings, host: str, port: int, processes: int) -> None:
    """Run the web server alone."""
    from granian.constants import Interfaces
    from granian.log import LogLevels
    from granian.server import Server

    lifeline.hold()
    Server(
        "webapp.asgi:make",
        factory=True,
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        workers=processes,
        websockets=False,
        respawn_failed_workers=True,
        workers_kill_timeout=5,
        log_level=LogLevels.warning,
    ).serve()


@command
def worker(settings: Settings) -> None:
    """Run the engine's worker alone."""
    from webapp.worker import work

    lifeline.hold()
    work(settings)


@command
def beat(settings: Settings) -> None:
    """Run the beat alone: it tells the worker when each job is due."""
    from webapp.worker import beat as keep_beating

    lifeline.hold()
    keep_beating(settings)


@command
@click.argument("name", default="")
def listener(settings: Settings, name: str) -> None:
    """Hold one link alone, e.g. the SMS modem ("sms"); without NAME the first one the settings call for."""
    from webapp.listeners import run

    lifeline.hold()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    run(settings, name, stop)


# ------------------------------------------------------------------------------------------------- people


@command
def init(settings: Settings) -> None:
    """Set up an empty house for real work: tables, rights, processes and the first administrator."""
    from engine.db import transaction
    from webapp.house import bring_up_to_date, first_admin

    bring_up_to_date(settings)
    with transaction() as session:
        admin = first_admin(session)
    if admin is None:
        click.echo("up to date; there are logins already")
    else:
        click.echo(f"administrator: {admin.username}   password: {admin.password}   (shown only now)")


@command
@click.argument("username")
@click.option("--email", default="", help="Mail address; user@localhost without it.")
def create_admin(settings: Settings, username: str, email: str) -> None:
    """Make a login with every right and print its random password."""
    from engine.db import transaction
    from webapp.house import bring_up_to_date, make_admin

    bring_up_to_date(settings)
    with transaction() as session:
        admin = make_admin(session, username, email)
    click.echo(f"administrator: {admin.username}   password: {admin.password}   (shown only now)")


@command
def load_demo(settings: Settings) -> None:
    """Move the small demo company in; from then on devices are simulated."""
    from engine.db import transaction
    from webapp import demo
    from webapp.house import bring_up_to_date

    bring_up_to_date(settings)
    with transaction() as session:
        made = demo.load(session)
        if made:
            demo.send_samples(session)
            demo.move_in(session)
    click.echo("the demo company has moved in" if made else "the demo company is there already")


@command
@click.option("--size", type=click.Choice(["load", "small"]), default="load", help="How much.")
def load_data(settings: Settings, size: str) -> None:
    """Fill the demo company with 200,000 customers and 2,000,000 contact records, to measure speed; stop the house."""
    from engine.db import analyze, transaction
    from webapp.demo import large
    from webapp.house import bring_up_to_date

    bring_up_to_date(settings)
    wanted = large.SIZES[size]
    with (
        transaction() as session,
        click.progressbar(length=wanted.customers + wanted.records, label="customers and records") as bar,
    ):
        large.fill(session, wanted, lambda done, _total: bar.update(done - bar.pos))
    analyze()
    _write_search_words()
    click.echo(f"{wanted.customers:,} customers, {wanted.records:,} contact records")


@command
@click.option("--yes", is_flag=True, help="Do not ask.")
def remove_demo(settings: Settings, yes: bool) -> None:
    """Move the demo company out, with everything that was done in its house; stop the house first.

    Administrators' own logins and what they have deployed stay. Refused when records of real people are there.
    """
    from engine import attachments
    from engine.db import Sessions, transaction
    from webapp import demo
    from webapp.house import bring_up_to_date, ship

    bring_up_to_date(settings)
    if not yes:
        click.confirm("Every request, message, file and setting in this house goes as well. Go on?", abort=True)
    with transaction() as session:
        gone = demo.remove(session)
        ship(session)
    attachments.discard(Sessions(), gone.files)
    click.echo(f"the demo company has moved out: {gone.people} people, {gone.instances} requests")


# ------------------------------------------------------------------------------------------------- the database


@command
def reindex(settings: Settings) -> None:
    """Write the words that records are found by anew: after rows were loaded past the application."""
    from webapp import bootstrap

    bootstrap.start(settings)
    _write_search_words()


def _write_search_words() -> None:
    from processes.lookup import operations as lookup

    for kind in sorted(lookup.SOURCES):
        done = 0
        for done in lookup.rebuild(kind):
            click.echo(f"\r{kind}: {done:,}", nl=False)
        click.echo(f"\r{kind}: {done:,} done")


@command
def migrate(settings: Settings) -> None:
    """Bring the database to this release: its schema, the permissions, the processes that ship with it."""
    from engine.db import make_engine
    from webapp import migrations
    from webapp.house import bring_up_to_date

    engine = make_engine(settings.database_url)
    before = migrations.present(engine)
    bring_up_to_date(settings)
    click.echo(f"schema {before or 'empty'} -> {migrations.present(engine)}")


@command
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def backup(settings: Settings, file: Path) -> None:
    """Write every row and attachment into FILE while the house goes on working."""
    from engine.db import make_engine
    from webapp.backup import backup as write

    manifest = write(make_engine(settings.database_url), settings.data_dir / "attachments", file)
    rows = sum(table.rows for table in manifest.tables)
    click.echo(f"{file}: {rows} rows of {len(manifest.tables)} tables, {len(manifest.attachments)} attachments")


@command
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def restore(settings: Settings, file: Path) -> None:
    """Fill an empty database from FILE and bring it to this release's schema."""
    from engine.db import make_engine
    from webapp.backup import restore as read

    manifest = read(make_engine(settings.database_url), settings.data_dir / "attachments", file)
    rows = sum(table.rows for table in manifest.tables)
    of = f"{manifest.made_at:%Y-%m-%d %H:%M} UTC"
    click.echo(f"restored {rows} rows and {len(manifest.attachments)} attachments of {of}")


@main.command()
@click.option(
    "--file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Check this backup instead of the database: needs no settings and no house.",
)
def verify_history(file: Path | None) -> None:
    """Check the hash chains of every process and record; names each place where one does not hold."""
    count = 0
    try:
        for link in _broken_links(file):
            click.echo(f"{link.kind} {link.id}, line {link.seq}: {link.why}")
            count += 1
    except (AppError, SettingsError) as error:
        raise click.ClickException(str(error)) from error
    if count:
        raise click.ClickException(f"{count} places do not hold")
    click.echo("every chain holds")


def _broken_links(file: Path | None) -> Iterator[Break]:
    if file is not None:
        from webapp.backup import broken_links as in_backup

        return in_backup(file)
    from engine.db import Sessions
    from webapp import bootstrap
    from webapp.checks import broken_links as in_database

    bootstrap.start(load_settings())
    return in_database(Sessions())


@command
def health(settings: Settings) -> None:
    """Look at the database, its schema, the broker and the connectors; fails when one is down."""
    from webapp import bootstrap
    from webapp.checks import look_around

    bootstrap.start(settings)
    findings = look_around()
    for finding in findings:
        click.echo(f"{finding.name:<12} {finding.state:<9} {finding.reason}".rstrip())
    if any(finding.state == "down" for finding in findings):
        sys.exit(1)


@main.command()
def settings() -> None:
    """List every setting: its name, what it is without you, what it means."""
    for setting in list_settings():
        default = f" [{setting.default}]" if setting.default else ""
        click.echo(f"{setting.name}{default}{' (secret)' if setting.secret else ''}\n    {setting.help}")


if __name__ == "__main__":
    main()
