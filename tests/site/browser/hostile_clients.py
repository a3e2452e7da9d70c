"""Two hundred clients that do what a server fears. Run as a program: HOST-PORT SECONDS LESSONS.

Prints how often each kind did its work, and what it was answered.
"""

import asyncio
import itertools
import json
import random
import re
import sys
import time
from collections import Counter

KINDS = {}  # name -> (how many, what each does again and again)
JSON = "Accept: application/json\r\nContent-Type: application/json\r\n"
PAUSE = 0.05  # seconds between two misdeeds of a client; floods of connections are for a proxy to stop
SEEDS = itertools.count(1)


def kind(count):
    def add(function):
        KINDS[function.__name__] = count, function
        return function

    return add


class Client:
    """A connection that is opened for one misdeed."""

    def __init__(self, port, lessons, number):
        self.port, self.lessons = port, lessons
        self.random = random.Random(number)

    async def __aenter__(self):
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        return self

    async def __aexit__(self, *_):
        self.writer.transport.abort()

    async def send(self, text):
        self.writer.write(text if isinstance(text, bytes) else text.encode("latin-1"))
        await self.writer.drain()

    async def ask(self, method, path, headers="", body=""):
        await self.send(
            f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n{headers}"
            f"Content-Length: {len(body)}\r\n\r\n{body}"
        )
        return await self.status()

    async def form(self, page):
        """Return the cookie and the token of a page's form."""
        await self.send(f"GET {page} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        text = (await self.reader.read()).decode()
        cookie = text.partition("set-cookie: ")[2].partition(";")[0]
        return cookie, re.search(r'form.token"(?: value)?="(\w+)"|$', text)[1]

    async def status(self):
        line = await asyncio.wait_for(self.reader.readline(), 60)
        await asyncio.wait_for(self.reader.read(), 60)
        return line[9:12].decode() or "closed"

    def lesson(self):
        return self.random.choice(self.lessons)


@kind(25)
async def opens_labs(client):
    """Begins runs that nobody has begun before."""
    cookie, token = await client.form("/log-in")
    headers = f"Cookie: {cookie}\r\nX-Form-Token: {token}\r\n{JSON}"
    async with Client(client.port, client.lessons, 0) as other:
        body = json.dumps({"query": f"seed={next(SEEDS)}&lr={next(SEEDS) / 9999:.4f}"})
        return await other.ask("POST", f"/labs/{client.lesson()}/runs", headers, body)


@kind(20)
async def starts_trainings(client):
    """Starts a long training, opens its stream and drops it."""
    cookie, token = await client.form("/log-in")
    headers = f"Cookie: {cookie}\r\nX-Form-Token: {token}\r\n{JSON}"
    async with Client(client.port, client.lessons, 0) as other:
        body = json.dumps({"query": f"seed={next(SEEDS) % 999}", "step": 20000})
        head = f"POST /playground/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n{headers}"
        await other.send(f"{head}Content-Length: {len(body)}\r\n\r\n{body}")
        text = (await other.reader.read()).decode()
    job = re.search(r'"job":"([^"]+)"|$', text)[1]
    if job:
        async with Client(client.port, client.lessons, 0) as third:
            head = f"GET /playground/jobs/{job}/events HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}\r\n"
            await third.send(head)
            await third.reader.read(client.random.choice([1, 1000, 5000]))
    return text[9:12] or "closed"


@kind(5)
async def brings_tables(client):
    """Uploads what is long to read: rows without end, a quote that is never closed, thousands of columns."""
    cookie, token = await client.form("/data")
    table = client.random.choice(["x\n" + "1\n" * 400_000, 'x,y\n"' + "a\n" * 400_000, "c," * 9999 + "c\n"])
    part = "--x\r\nContent-Disposition: form-data; name="
    body = f'{part}"form_token"\r\n\r\n{token}\r\n{part}"file"; filename="a.csv"\r\n\r\n{table}\r\n--x--\r\n'
    headers = f"Cookie: {cookie}\r\nContent-Type: multipart/form-data; boundary=x\r\n"
    async with Client(client.port, client.lessons, 0) as other:
        return await other.ask("POST", "/data/upload", headers, body)


@kind(30)
async def drops_answers(client):
    """Asks for a page or a run and is gone before it comes."""
    path = client.random.choice(["/glossary", f"/lessons/{client.lesson()}?seed={next(SEEDS)}"])
    await client.send(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    await client.reader.read(client.random.choice([0, 1, 100]))
    return "gone"


@kind(20)
async def sends_garbage(client):
    """Sends bytes that are no HTTP, or nearly."""
    start = client.random.choice(
        [b"", b"GET / HTTP/9.9\r\n\r\n", b"GET /%ff%00 HTTP/1.1\r\nHost: \xff\r\n", b"POST"]
    )
    await client.send(start + client.random.randbytes(2000) + b"\r\n\r\n")
    return await client.status()


@kind(20)
async def sends_a_slow_head(client):
    """Sends a byte of a header now and then."""
    await client.send("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ")
    for _ in range(200):
        await asyncio.sleep(0.3)
        await client.send("x")
    return "done"


@kind(20)
async def sends_a_slow_body(client):
    """Announces a body and sends a byte of it now and then."""
    path = client.random.choice(["/api/log", "/log-in", "/sign-up", "/nowhere"])
    await client.send(f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{JSON}Content-Length: 400000\r\n\r\n")
    for _ in range(200):
        await asyncio.sleep(0.3)
        await client.send("1")
    return "done"


@kind(10)
async def sends_a_huge_body(client):
    """Sends chunk after chunk, as long as the server takes them."""
    await client.send(f"POST /log-in HTTP/1.1\r\nHost: 127.0.0.1\r\n{JSON}Transfer-Encoding: chunked\r\n\r\n")
    for _ in range(2000):
        await client.send("10000\r\n" + "x" * 0x10000 + "\r\n")
    return "took 128 MiB"


@kind(10)
async def sends_huge_headers(client):
    """Sends a megabyte of headers."""
    await client.send("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n")
    for number in range(1000):
        await client.send(f"X-{number}: {'x' * 1000}\r\n")
    return await client.status()


@kind(10)
async def sends_a_huge_query(client):
    """Sends a query that is too long, or as long as may be."""
    length = client.random.choice([8_000, 14_000, 100_000])
    return await client.ask("GET", f"/search?q={'loss+gradient+' * (length // 14)}")


@kind(10)
async def tries_passwords(client):
    """Logs in with one wrong password after the other."""
    cookie, token = await client.form("/log-in")
    async with Client(client.port, client.lessons, 0) as other:
        body = f"email=a{next(SEEDS)}@example.org&password=wrong+password+again&form_token={token}"
        kind = "Content-Type: application/x-www-form-urlencoded"
        return await other.ask("POST", "/log-in", f"{kind}\r\nCookie: {cookie}\r\n", body)


@kind(10)
async def never_reads(client):
    """Asks for page after page and reads none."""
    for _ in range(400):
        await client.send("GET /glossary HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    await asyncio.sleep(60)
    return "done"


@kind(10)
async def is_idle(client):
    """Opens a connection and says nothing."""
    return await client.status()


async def work(name, do, number, port, lessons, until, told):
    while time.monotonic() < until:
        try:
            async with asyncio.timeout_at(asyncio.get_running_loop().time() + until - time.monotonic()):
                async with Client(port, lessons, number) as client:
                    told[name][await do(client)] += 1
        except TimeoutError:
            told[name]["still at it"] += 1
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            told[name]["thrown out"] += 1
        await asyncio.sleep(PAUSE)


async def main(port, seconds, lessons):
    told = {name: Counter() for name in KINDS}
    until = time.monotonic() + seconds
    numbers = itertools.count(1)
    await asyncio.gather(
        *(
            work(name, do, next(numbers), port, lessons, until, told)
            for name, (count, do) in KINDS.items()
            for _ in range(count)
        )
    )
    print(json.dumps(told))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3].split(",")))
