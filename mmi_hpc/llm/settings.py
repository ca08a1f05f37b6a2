"""How a stage's language model is named, sampled and reached."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from mmi_hpc.config.settings import Operational, Settings

_Operational = Operational()


class LlmSettings(Settings):
    """A model and how it is used.

    Attributes:
        engine: `rules` writes without a model; `openai` talks to any compatible server.
        model: The model's name on the server.
        temperature: Sampling temperature; 0 is greedy.
        top_p: Nucleus sampling.
        max_tokens: Longest reply, in tokens.
        base_url: The server, up to and including /v1.
        api_key_env: Name of the variable that holds the key; "" for servers without one.
        concurrency: Requests under way at once.
        timeout_seconds: Longest wait for one reply.
        max_attempts: Tries per request when the server is busy or fails; eight with their pauses
            bridge about half a minute.
    """

    engine: Literal["rules", "openai"] = "rules"
    model: str = ""
    temperature: float = Field(default=0.7, ge=0, le=2)
    top_p: float = Field(default=0.95, gt=0, le=1)
    max_tokens: int = Field(default=1024, ge=1)
    base_url: Annotated[str, Field(pattern=r"^https?://[^\s/?#@]+(/[^\s?#@]*)?$"), _Operational] = (
        "http://127.0.0.1:8000/v1"
    )
    api_key_env: Annotated[str, _Operational] = ""
    concurrency: Annotated[int, Field(ge=1), _Operational] = 16
    timeout_seconds: Annotated[float, Field(gt=0), _Operational] = 300.0
    max_attempts: Annotated[int, Field(ge=1), _Operational] = 8

    def sampling(self) -> dict[str, Any]:
        """What a reply depends on besides the messages."""
        if self.engine == "rules":
            return {"engine": "rules"}
        return {
            "engine": self.engine,
            "model": self.model,
            "temperature": self.temperature,
            "top_p": self.top_p,
            "max_tokens": self.max_tokens,
        }
