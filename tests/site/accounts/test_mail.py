"""Mails: the ways they go, and that secrets come from the environment or a file."""

import smtplib

import pytest

from slopewise.engine.errors import ArgumentError
from slopewise.site.accounts import mail
from slopewise.site.accounts.accounts import Letter
from slopewise.site.accounts.mail import Console, NoMail, Smtp, mailer_from_environment, send_letter


@pytest.fixture(autouse=True)
def no_settings(monkeypatch):
    for name in ("SLOPEWISE_SMTP_URL", "SLOPEWISE_SMTP_URL_FILE", "SLOPEWISE_MAIL_FROM"):
        monkeypatch.delenv(name, raising=False)


def test_without_a_mail_server_links_are_printed_on_loopback_only(capsys, caplog):
    on_loopback, elsewhere = mailer_from_environment(True), mailer_from_environment(False)
    assert isinstance(on_loopback, Console)
    assert isinstance(elsewhere, NoMail)
    for mailer in (on_loopback, elsewhere):
        send_letter(mailer, Letter("reset", "ada@example.org", "the-secret"), "http://127.0.0.1:8000")
    printed = capsys.readouterr()
    assert printed.err.count("http://127.0.0.1:8000/reset/the-secret") == 1
    assert "the-secret" not in caplog.text
    assert "ada@example.org" not in caplog.text
    assert "a mail was not sent" in caplog.text


def test_the_mail_server_is_named_in_the_environment_or_in_a_file(monkeypatch, tmp_path):
    monkeypatch.setenv("SLOPEWISE_SMTP_URL", "smtp://user%40x.org:p%3Aw@mail.example.org")
    made = mailer_from_environment(False)
    assert made == Smtp("mail.example.org", 587, "user@x.org", "p:w", "user@x.org", False)
    (tmp_path / "url").write_text("smtps://u:p@mail.example.org\n")
    monkeypatch.setenv("SLOPEWISE_SMTP_URL_FILE", str(tmp_path / "url"))
    with pytest.raises(ArgumentError, match="SLOPEWISE_SMTP_URL and SLOPEWISE_SMTP_URL_FILE are both set"):
        mailer_from_environment(True)
    monkeypatch.delenv("SLOPEWISE_SMTP_URL")
    monkeypatch.setenv("SLOPEWISE_MAIL_FROM", "learn@example.org")
    assert mailer_from_environment(True) == Smtp("mail.example.org", 465, "u", "p", "learn@example.org", True)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("SLOPEWISE_SMTP_URL", "mail.example.org", "SLOPEWISE_SMTP_URL is like"),
        ("SLOPEWISE_SMTP_URL", "smtp://u:secret/s@mail.example.org", "SLOPEWISE_SMTP_URL is like"),
        ("SLOPEWISE_SMTP_URL", "smtp://u:p@mail.example.org:secret", "SLOPEWISE_SMTP_URL is like"),
        ("SLOPEWISE_SMTP_URL", "smtp://u:secret@[mail", "SLOPEWISE_SMTP_URL is like"),
        ("SLOPEWISE_SMTP_URL", "smtp://mail.example.org", "SLOPEWISE_MAIL_FROM"),
        ("SLOPEWISE_SMTP_URL_FILE", "/nowhere/url", "cannot read /nowhere/url: No such file or directory$"),
        ("SLOPEWISE_SMTP_URL_FILE", "/dev/null", "SLOPEWISE_SMTP_URL_FILE: /dev/null is empty$"),
    ],
)
def test_what_is_no_mail_server_is_said_without_the_secret(monkeypatch, name, value, says):
    monkeypatch.setenv(name, value)
    with pytest.raises(ArgumentError, match=says) as caught:
        mailer_from_environment(True)
    assert "secret" not in str(caught.value)


class FakeServer:
    """Stands in for a connection to a mail server, and notes what is done with it."""

    def __init__(self, host, port, timeout):
        self.done = [("connect", host, port)]
        type(self).last = self

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return False

    def starttls(self, context):
        self.done.append(("starttls", context.verify_mode.name, context.check_hostname))

    def login(self, user, password):
        self.done.append(("login", user, password))

    def send_message(self, message):
        self.done.append(("send", message["To"], message["From"], message.get_content()))


def test_a_mail_goes_encrypted_and_with_a_checked_certificate(monkeypatch):
    monkeypatch.setattr(mail.smtplib, "SMTP", FakeServer)
    mailer = Smtp("mail.example.org", 587, "u", "p", "learn@example.org", False)
    send_letter(mailer, Letter("sign-up", "ada@example.org", "s3cret"), "https://learn.example.org")
    done = FakeServer.last.done
    assert [step[0] for step in done] == ["connect", "starttls", "login", "send"]
    assert done[1] == ("starttls", "CERT_REQUIRED", True)
    assert done[3][1] == "ada@example.org"
    assert "https://learn.example.org/sign-up/s3cret" in done[3][3]


def test_a_mail_that_cannot_be_sent_is_logged_without_address_and_secret(monkeypatch, caplog):
    def refuse(*arguments, **options):
        raise smtplib.SMTPRecipientsRefused({"ada@example.org": (550, b"no")})

    monkeypatch.setattr(mail.smtplib, "SMTP", refuse)
    mailer = Smtp("mail.example.org", 587, "u", "p", "learn@example.org", False)
    send_letter(mailer, Letter("reset", "ada@example.org", "s3cret"), "https://learn.example.org")
    assert "SMTPRecipientsRefused" in caplog.text
    assert "ada@example.org" not in caplog.text
    assert "s3cret" not in caplog.text


def test_every_letter_can_be_written():
    sent = []

    class Keeping:
        reaches_users = True

        def send(self, to, subject, text):
            sent.append(text)

    for kind in mail._LETTERS:
        send_letter(Keeping(), Letter(kind, "ada@example.org", "s"), "https://learn.example.org")
    assert all("{" not in text for text in sent)
