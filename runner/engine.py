"""The model engine as runners ask it: through Ollama's own client, with what that client has no words for."""

from typing import Any, Final, TypeVar

import httpx
import ollama
from pydantic import BaseModel, Field

_T = TypeVar("_T")

_ASKING: Final = frozenset({"/api/generate", "/api/chat"})
_WHOLE: Final = {"truncate": False, "shift": False, "think": False}
"""Left alone, Ollama drops the beginning of a prompt that is too long, and of an answer that outgrows the context, and lets models that
can think do so at length, unseen. Nobody could bill, repeat or audit that, so prompts that are too long are refused, answers end where
the context does, and all that is said is said in the answer."""
_BROKEN_STREAM: Final = -1
"""The client's status of an error that came after the answer had begun."""


class _Shown(BaseModel):
    rendered_template: str = ""


class _Rendered(BaseModel):
    """What an engine says of a prompt that it is not to answer."""

    debug_info: _Shown = Field(_Shown(), alias="_debug_info")


class Engine(ollama.AsyncClient):
    """Ollama's client, for prompts and answers that are whole. A call gets `timeout_s` seconds without a byte."""

    def __init__(self, url: str, *, timeout_s: float | None = 60.0) -> None:
        super().__init__(host=url, timeout=httpx.Timeout(timeout_s, connect=5.0))

    async def rendered(
        self, model: str, prompt: str, *, system: str | None, options: dict[str, object]
    ) -> str | None:
        """Return the text that the model's template makes of a prompt, which `generate` takes with `raw`.

        None from an engine that does not tell. Raises what the client raises.
        """
        # An engine that does not know the question answers the prompt instead, so that it may not be long.
        body = {
            "model": model,
            "prompt": prompt,
            "options": {**options, "num_predict": 1},
            "stream": False,
            "_debug_render_only": True,
            **({"system": system} if system else {}),
        }
        said: _Rendered = await self._request(_Rendered, "POST", "/api/generate", json=body)
        return said.debug_info.rendered_template or None

    async def _request(self, cls: type[_T], *args: Any, **kwargs: Any) -> Any:
        if args[1:2] and args[1] in _ASKING:
            kwargs["json"] = {**kwargs["json"], **_WHOLE}
        return await super()._request(cls, *args, **kwargs)


def is_passing(error: ollama.ResponseError) -> bool:
    """Return whether the engine may do at another time what it would not do now."""
    status = error.status_code
    return status == _BROKEN_STREAM or status in (408, 425, 429) or status >= 500
