"""Any server that speaks Chat Completions with tools: OpenAI, vLLM, SGLang, Ollama, llama.cpp, ...

Text only: pages are sent as their text view.
"""

import asyncio
import os

import openai

from doer.errors import ConfigError, ModelError, boundary
from doer.models.chat import in_order, message_param, read_reply, tool_param
from doer.records.completion import Completion, Request

ADVICE: dict[type[openai.APIError], str] = {
    openai.APITimeoutError: "no answer in time; give it longer or take a smaller model",
    openai.APIConnectionError: "cannot be reached; does the server run, is the address right?",
    openai.AuthenticationError: "the key is not accepted; set OPENAI_API_KEY",
    openai.PermissionDeniedError: "this key may not use the model; take another key or model",
    openai.NotFoundError: "no such model or address; base URLs mostly end in /v1",
    openai.RateLimitError: "too many requests or no credit; wait, or run fewer at once",
    openai.InternalServerError: "the server failed; see its log or try again later",
    openai.APIError: "the request was refused",
}
"""What to do about an error, the special ones first."""


class OpenAIModel:
    """A model behind `base_url` (else $OPENAI_BASE_URL, else OpenAI itself).

    The key is `api_key`, else $OPENAI_API_KEY; other servers than OpenAI may do without one.
    `timeout_s` bounds one answer, all tries together. Close it to close its connections.
    Raises `ConfigError` when OpenAI itself is asked without a key.
    """

    def __init__(
        self,
        model: str,
        *,
        base_url: str | None = None,
        api_key: str | None = None,
        timeout_s: float = 120.0,
        max_retries: int = 2,
    ) -> None:
        base_url = base_url or os.environ.get("OPENAI_BASE_URL")
        api_key = api_key or os.environ.get("OPENAI_API_KEY")
        if not (base_url or api_key):
            raise ConfigError(
                "OpenAI's models need a key: set OPENAI_API_KEY. "
                "For another server set OPENAI_BASE_URL, for example http://localhost:11434/v1"
            )
        self._model = model
        self._timeout_s = timeout_s
        self._client = openai.AsyncOpenAI(
            api_key=api_key or "none",
            base_url=base_url,
            timeout=timeout_s,
            max_retries=max_retries,
        )

    @property
    def name(self) -> str:
        return self._model

    async def respond(self, request: Request) -> Completion:
        """One answer. The text of its `ModelError` says what to do."""
        where = f"{self._model} at {self._client.base_url}"
        with boundary(ModelError, where):
            try:
                async with asyncio.timeout(self._timeout_s):
                    reply = await self._ask(request)
            except openai.APIError as error:
                advice = next(text for kind, text in ADVICE.items() if isinstance(error, kind))
                raise ModelError(f"{where}: {advice} ({error.message})") from error
            return read_reply(reply)

    async def close(self) -> None:
        await self._client.close()

    async def _ask(self, request: Request) -> bytes:
        sampling = request.sampling
        # OpenAI's reasoning models refuse max_tokens; Ollama knows nothing else.
        own = self._client.base_url.host.endswith((".openai.com", ".openai.azure.com"))
        response = await self._client.chat.completions.with_raw_response.create(
            model=self._model,
            messages=[message_param(message) for message in in_order(request.messages)],
            tools=[tool_param(tool) for tool in request.tools] or openai.omit,
            temperature=sampling.temperature,
            seed=openai.omit if sampling.seed is None else sampling.seed,
            max_completion_tokens=sampling.max_tokens if own else openai.omit,
            max_tokens=openai.omit if own else sampling.max_tokens,
        )
        return response.content
