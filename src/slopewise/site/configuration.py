"""Where and how the site is served."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from slopewise.engine.errors import ArgumentError
from slopewise.site.accounts.mail import secret_from_environment
from slopewise.site.accounts.passwords import PasswordCost
from slopewise.site.labs.jobs import JobLimits
from slopewise.site.labs.pool import Limits
from slopewise.site.storage.engines import read_address

LOOPBACK = ("127.0.0.1", "::1")
_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,250}[a-z0-9])?", re.IGNORECASE)
_PUBLIC_URL = re.compile(rf"https://{_NAME.pattern}(:[0-9]{{1,5}})?/?", re.IGNORECASE)


@dataclass(frozen=True)
class Configuration:
    """The settings of a server.

    Attributes
    ----------
    host, port : where it listens
    database : str
        A URL of SQLAlchemy, such as ``sqlite:///site.db``.
    files : Path
        The folder of what is kept in files; by default beside the database of SQLite, else the user's.
    public_url : str
        What users type; needed off loopback, and then with https.
    allowed_names : tuple of str
        Names in a Host header that are answered besides that of `public_url`.
    trusted_proxies : tuple of str
        Addresses or networks of proxies whose word on a visitor's address counts.
    metrics_port : int
        Where metrics are served, on loopback; nowhere by default.
    pages : Path
        The folder of the owner's own pages, such as ``privacy.md``.
    limits : Limits
        Of the labs, and of all work of visitors together.
    jobs : JobLimits
        Of live trainings.
    password_cost : PasswordCost
        How much work it is to try a password.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    database: str = field(default_factory=lambda: default_database())
    public_url: str = ""
    files: Path | None = None
    allowed_names: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = LOOPBACK
    metrics_port: int | None = None
    pages: Path | None = None
    limits: Limits = field(default_factory=Limits)
    jobs: JobLimits = field(default_factory=JobLimits)
    password_cost: PasswordCost = field(default_factory=PasswordCost)

    def __post_init__(self) -> None:
        for name in self.allowed_names:
            if not _NAME.fullmatch(name):
                raise ArgumentError(f"--allowed-host is a name such as learn.example.org, not {name[:100]!r}")
        for proxy in self.trusted_proxies:
            _check_proxy(proxy)
        if self.metrics_port and self.metrics_port == self.port:
            raise ArgumentError(f"--metrics-port {self.port} is the port of the site; choose another, or 0")
        if self.public_url:
            if not _PUBLIC_URL.fullmatch(self.public_url):
                raise ArgumentError(
                    "--public-url is an https address without a path, such as https://learn.example.org, "
                    f"not {self.public_url[:100]!r}"
                )
        elif not is_loopback(self.host):
            raise ArgumentError(
                f"--host {self.host} can be reached from other machines; add --public-url https://… (a proxy "
                "in front must speak https), or use --host 127.0.0.1"
            )

    @property
    def allowed_hosts(self) -> list[str]:
        """The names in a Host header that are answered."""
        names = ["127.0.0.1", "localhost", "[::1]"]
        if self.public_url:
            names.append(urlsplit(self.public_url).hostname or "")
        return [*names, *self.allowed_names]

    @property
    def address(self) -> str:
        """The address to open, with no slash at its end: paths are put behind it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.public_url.rstrip("/") or f"http://{host}:{self.port}"


def is_loopback(host: str) -> bool:
    """Tell whether a host can be reached from this machine only.

    Examples
    --------
    >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _check_proxy(text: str) -> None:
    try:
        network = ipaddress.ip_network(text)
    except ValueError:
        raise ArgumentError(
            "--trusted-proxy is an address such as 10.0.0.2, or a network such as 10.0.0.0/24, "
            f"not {text[:60]!r}"
        ) from None
    if network.prefixlen == 0:
        raise ArgumentError(f"--trusted-proxy {text} would let every visitor say where they come from")


def database_from(argument: str | None) -> str:
    """Return the URL of the database: as given, as SLOPEWISE_DATABASE or its _FILE says, or the default.

    Raises
    ------
    ArgumentError
        If there is a password in the argument, which everybody on the machine can read, or it is no URL of
        a database that can be used.
    """
    if argument is None:
        return secret_from_environment("SLOPEWISE_DATABASE") or default_database()
    if read_address(argument).password or "password=" in argument:
        raise ArgumentError(
            "--database holds a password, and others on this machine can read arguments; put the URL into "
            "SLOPEWISE_DATABASE, or into a file that SLOPEWISE_DATABASE_FILE names, or use ~/.pgpass"
        )
    return argument


def default_database() -> str:
    """Return the URL of the database file in the user's data folder."""
    import platformdirs

    return f"sqlite:///{Path(platformdirs.user_data_dir('slopewise')) / 'site.db'}"
