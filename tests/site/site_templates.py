"""Which templates an answer was made of, told by a header, for tests that ask whether all were seen."""

from contextvars import ContextVar

HEADER = "x-templates"


class TellsTemplates:
    """An application whose answers name the templates that they were made of, parts and macros among them."""

    def __init__(self, application):
        self._application = application
        self._used = ContextVar("used", default=None)
        environment = application.state.templates
        self.names = set(environment.list_templates())
        self._get = environment.get_template
        environment.get_template = self._note  # compiled templates find here what they extend and include

    def _note(self, name, *arguments, **options):
        if (used := self._used.get()) is not None:
            used.add(name)
        return self._get(name, *arguments, **options)

    async def __call__(self, scope, receive, send):
        used = set()
        self._used.set(used)  # a request has a context of its own, which its thread copies

        async def send_named(message):
            if message["type"] == "http.response.start" and used:
                message["headers"] = [*message["headers"], (HEADER.encode(), " ".join(sorted(used)).encode())]
            await send(message)

        await self._application(scope, receive, send_named)
