"""What the engine is asked: the bodies of Ollama's `generate`, `chat` and `show`."""

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

PACKAGED_MARK: Final = "packaged"
"""What this engine adds to `/api/version`, by which it is told from a real Ollama."""

ModelName = Annotated[str, StringConstraints(min_length=1, max_length=256)]


class Options(BaseModel):
    """Sampling options, with Ollama's defaults. Options that llama.cpp's sampler here has no use for are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    seed: int = 0
    temperature: float = Field(0.8, ge=0)
    num_ctx: int = Field(4096, ge=1)
    num_predict: int = Field(-1, ge=-2)
    top_k: int = Field(40, ge=0)
    top_p: float = Field(0.9, ge=0, le=1)
    min_p: float = Field(0.0, ge=0, le=1)
    typical_p: float = Field(1.0, ge=0, le=1)
    repeat_last_n: int = Field(64, ge=-1)
    repeat_penalty: float = Field(1.1, gt=0)
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    stop: tuple[str, ...] = ()


class Message(BaseModel):
    """One turn of a conversation."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    role: Literal["system", "user", "assistant", "tool"]
    content: str = ""


class _Request(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    model: ModelName
    stream: bool = True
    options: Options = Options()
    logprobs: bool = False
    top_logprobs: int = Field(0, ge=0, le=20)


class GenerateRequest(_Request):
    """`POST /api/generate`. With `raw`, the prompt goes to the model as it is, without its chat template.

    With `_debug_render_only`, the answer is what the template made of it.
    """

    prompt: str = ""
    system: str | None = None
    raw: bool = False
    only_rendered: bool = Field(False, alias="_debug_render_only")


class ChatRequest(_Request):
    """`POST /api/chat`."""

    messages: tuple[Message, ...] = ()


class ShowRequest(BaseModel):
    """`POST /api/show`. Older clients say `name`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    model: ModelName
