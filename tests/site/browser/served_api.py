"""What answers JSON, tried by schemathesis against the application's own OpenAPI description."""

import re

import hypothesis
import pytest
import schemathesis
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import status_code_conformance

EXAMPLES = 25  # of each endpoint; the seed is fixed
PLAYGROUND = ("preview", "question", "untrained", "verdicts", "jobs")
PROMPT = "/lessons/{slug}/prompts/{name}"
JSON = ("/api/", "/labs/", *(f"/playground/{name}" for name in PLAYGROUND), "/healthz")
OTHERS = ("/playground/jobs/{id}/events", "/labs/{slug}/table.csv", "/labs/{slug}/cards")  # no JSON

text = {"type": "string", "maxLength": 60}
entry = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "format": "uuid"},
        "kind": {"enum": ["review", "undo", "suspend", "resume", "other"]},
        "card": {"type": "string", "format": "uuid"},
        "review": {"type": "string", "format": "uuid"},
        "grade": {"enum": ["again", "hard", "good", "easy", "perfect"]},
        "at": {"type": "string", "format": "date-time"},
    },
    "required": ["id", "kind", "at"],
}
item = {
    "type": "object",
    "properties": {"kind": {"enum": ["answer", "draft", "last", "x"]}, "item": text, "value": {}, "at": text},
}
failed = {"type": "object", "properties": {"slug": text, "query": text}}
BODIES = {
    "/api/overview": {
        "type": "object",
        "properties": {
            "items": {"type": "array", "items": item},
            "reviews": {"type": "array", "items": entry},
            "time_zone": {"enum": ["UTC", "Europe/Berlin", "Nowhere", 7, None]},
        },
    },
    "/api/predictions": {"type": "object", "properties": {"failed": {"type": "array", "items": failed}}},
    PROMPT: {"type": "object", "properties": {"text": text}},
    "/api/log": {
        "type": "object",
        "properties": {"entries": {"type": "array", "items": entry}, "sent_at": text},
    },
    "/api/terminal/log": {"type": "object", "properties": {"entries": {"type": "array", "items": entry}}},
    "/api/progress": {"type": "object", "properties": {"items": {"type": "array", "items": item}}},
    "/labs/{slug}/runs": {"type": "object", "properties": {"query": text}},
    "/playground/untrained": {"type": "object", "properties": {"query": text}},
    "/playground/verdicts": {"type": "object", "properties": {"query": text}},
    "/playground/jobs": {"type": "object", "properties": {"query": text, "step": {"type": "integer"}}},
    "/playground/jobs/{id}/{action}": {"type": "object", "properties": {"step": {"type": "integer"}}},
}
QUERIES = {
    "/labs/{slug}/frame": ("step", "guess", "seed"),
    "/playground/preview": ("data", "layers", "seed"),
    "/playground/question": ("ask", "step", "to"),
}
READ_NOTHING = ("/api/terminal/log-out",)
KNOWN = {
    "slug": ["gradient-descent", "backpropagation", "nope"],
    "name": ["define", "nope"],
    "action": ["go", "pause", "stop", "open-test"],
}


def described(application):
    """Return the description of the endpoints that answer JSON, with what they read."""
    whole = application.openapi()
    paths = {}
    for path, methods in whole["paths"].items():
        if not (path.startswith(JSON) or path == PROMPT) or path in OTHERS:
            continue
        paths[path] = methods
        for method, operation in methods.items():
            parameters = operation.setdefault("parameters", [])
            for parameter in parameters:
                if parameter["name"] in KNOWN:
                    parameter["schema"] = {"enum": KNOWN[parameter["name"]]}
            for name in QUERIES.get(path, ()):
                parameters.append({"name": name, "in": "query", "schema": {"type": "string"}})
            if method == "post" and path in BODIES:
                content = {"application/json": {"schema": BODIES[path]}}
                operation["requestBody"] = {"required": True, "content": content}
    return whole | {"paths": paths}


@pytest.fixture(scope="session")
def description(application):
    return described(application)


@pytest.fixture(scope="session")
def somebody(browser):
    return browser().sign_up()


def new_token(somebody):
    page = somebody.post("/account/tokens", {"name": "a terminal"}).text
    return re.search(r"slopewise-cards-[\w-]{43}", page)[0]


def test_every_endpoint_that_reads_json_is_sent_some(description):
    assert {"/api/queue", "/labs/{slug}/frame", "/healthz"} <= set(description["paths"])
    read = {path for path, methods in description["paths"].items() if "post" in methods}
    assert read == {*BODIES, *READ_NOTHING}


def test_no_json_endpoint_fails_or_answers_what_it_does_not_document(description, served, somebody):
    schema = schemathesis.openapi.from_dict(description)
    headers = {
        "cookie": "; ".join(f"{cookie.name}={cookie.value}" for cookie in somebody.client.cookies.jar),
        "x-form-token": somebody.token("/account"),
        "accept": "application/json",
        "authorization": f"Bearer {new_token(somebody)}",
    }
    tried, wrong = 0, []

    def try_one(operation):
        @hypothesis.seed(0)
        @hypothesis.settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            suppress_health_check=list(hypothesis.HealthCheck),
            phases=[hypothesis.Phase.generate],
        )
        @hypothesis.given(case=operation.as_strategy())
        def run(case):
            nonlocal tried
            tried += 1
            answer = case.call(base_url=served.address, headers=headers, timeout=30)
            case.validate_response(answer, checks=[not_a_server_error, status_code_conformance])

        run()

    for result in schema.get_all_operations():
        operation = result.ok()
        try:
            try_one(operation)
        except (Exception, FailureGroup) as error:
            wrong.append(
                f"{operation.method} {operation.path}: {error} {getattr(error, 'exceptions', '')}"[:600]
            )
    assert wrong == []
    print(f"\n{tried} requests to {len(description['paths'])} endpoints")
    assert tried > 5 * len(description["paths"])
