"""The Sampler of a Hugging Face model: calls from the event loop, one thread that batches them."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue
from threading import Lock
from typing import Any

import numpy as np

from doer.errors import ModelError, boundary
from doer.models.local.hf.batcher import Batcher, Order, Tokens
from doer.models.local.stepping import few_threads
from doer.records.completion import Sampling, Segment


class HFSampler:
    """A Sampler over one net. `fetch(version)` brings that version's weights into the net; without
    it the net stays as it is. `context` is the most tokens a sequence may have."""

    def __init__(
        self,
        net: Any,
        ends: frozenset[int],
        context: int,
        slots: int,
        fetch: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._batcher = Batcher(net, ends, slots)
        self._context = context
        self._fetch = fetch
        self._version = 0
        self._queue: SimpleQueue[Order] = SimpleQueue()
        self._passing = Lock()
        size = sum(weight.numel() for weight in net.parameters())
        self._worker = ThreadPoolExecutor(1, "hf", initializer=few_threads, initargs=(size,))

    def load(self, version: int) -> None:
        with self._passing:
            self._fetch(version)
            self._batcher.forget()
            self._version = version

    async def sample(
        self, prefixes: Sequence[tuple[int, ...]], sampling: Sampling
    ) -> list[Segment]:
        orders: list[Order] = []
        for number, prefix in enumerate(prefixes):
            limit = min(sampling.max_tokens, self._context - len(prefix))
            if limit < 1:
                raise ModelError(
                    f"the conversation has {len(prefix)} tokens; the model reads {self._context}"
                )
            seed = None if sampling.seed is None else (sampling.seed, number)
            orders.append(Order(prefix, sampling.temperature, limit, np.random.default_rng(seed)))
        version = self._version
        for order in orders:
            self._queue.put(order)
            self._worker.submit(self._work, order)
        try:
            with boundary(ModelError, "the local model"):
                written = [await asyncio.wrap_future(order.answer) for order in orders]
        finally:
            for order in orders:
                order.answer.cancel()
        return [
            _segment(prefix, tokens, logprobs, version)
            for prefix, (tokens, logprobs) in zip(prefixes, written, strict=True)
        ]

    def _work(self, order: Order) -> None:
        """Go on until this order is answered; those that come meanwhile join in. Every order is
        followed by one of these, so none is forgotten."""
        while not order.answer.done():
            with self._passing:
                self._take()
                try:
                    with boundary(ModelError, "writing tokens"):
                        self._batcher.step()
                except ModelError as error:
                    self._batcher.fail(error)

    def _take(self) -> None:
        while True:
            try:
                self._batcher.add(self._queue.get_nowait())
            except Empty:
                return


def _segment(prefix: Tokens, tokens: Tokens, logprobs: tuple[float, ...], version: int) -> Segment:
    given = len(prefix)
    return Segment(
        token_ids=prefix + tokens,
        mask=(0,) * given + (1,) * len(tokens),
        logprobs=(0.0,) * given + logprobs,
        policy_version=version,
    )
