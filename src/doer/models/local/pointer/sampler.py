"""Draws actions from the pointer net, many at once, in one worker thread: torch lets go of the
interpreter lock in its big operations, so the event loop goes on driving browsers meanwhile."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from queue import Empty, SimpleQueue

import numpy as np
from torch import Tensor

from doer.errors import ModelError, boundary
from doer.models.local.pointer.batch import alike
from doer.models.local.pointer.drawing import Drawer, Drawn, Order
from doer.models.local.pointer.net import NetConfig, fitted
from doer.models.local.pointer.vocabulary import Vocabulary
from doer.models.local.stepping import one_thread
from doer.records.completion import Sampling, Segment

_BATCH = 32
_DEADLINE_S = 60.0

Weights = Mapping[str, Tensor]


@dataclass(frozen=True)
class _Waiting:
    order: Order
    answer: "Future[Segment]"


class PointerSampler:
    """A Sampler. Calls that come while the worker is busy are drawn together in its next batch.

    `weights` gives the weights of a version, which are copied, so that training may go on.
    """

    def __init__(
        self,
        config: NetConfig,
        vocabulary: Vocabulary,
        weights: Callable[[int], Weights],
        version: int = 0,
    ) -> None:
        self._config = config
        self._weights = weights
        self._drawer = Drawer(vocabulary)
        self._queue: SimpleQueue[_Waiting] = SimpleQueue()
        self._worker = ThreadPoolExecutor(1, "pointer", initializer=one_thread)
        self.load(version)

    def load(self, version: int) -> None:
        net = fitted(self._config, self._weights(version))
        self._now = (version, net.requires_grad_(False))

    async def sample(
        self, prefixes: Sequence[tuple[int, ...]], sampling: Sampling
    ) -> list[Segment]:
        waiting: list[_Waiting] = []
        for number, prefix in enumerate(prefixes):
            if self._drawer.rules(prefix).next(()).over:
                raise ModelError("the pointer policy sees nothing that it could act on")
            seed = None if sampling.seed is None else (sampling.seed, number)
            random = np.random.default_rng(seed)
            order = Order(prefix, sampling.temperature, random)
            waiting.append(_Waiting(order, Future()))
        for one in waiting:
            self._queue.put(one)
            self._worker.submit(self._work)
        with boundary(ModelError, "the pointer policy"):
            async with asyncio.timeout(_DEADLINE_S):
                return [await asyncio.wrap_future(one.answer) for one in waiting]

    def _work(self) -> None:
        """Answer whatever waits. Every call is followed by one of these, so none is forgotten;
        most find that an earlier one has taken their call along."""
        batch: list[_Waiting] = []
        while len(batch) < _BATCH:
            try:
                one = self._queue.get_nowait()
            except Empty:
                break
            if one.answer.set_running_or_notify_cancel():
                batch.append(one)
        for group in alike([len(one.order.prefix) for one in batch], _BATCH):
            self._answer([batch[at] for at in group])

    def _answer(self, batch: list[_Waiting]) -> None:
        version, net = self._now
        try:
            with boundary(ModelError, "drawing an action"):
                for row, drawn in self._drawer.draw(net, [one.order for one in batch]):
                    batch[row].answer.set_result(_segment(batch[row].order, drawn, version))
        except ModelError as error:
            unanswered = [one for one in batch if not one.answer.done()]
            if len(batch) == 1:
                unanswered[0].answer.set_exception(error)
                return
            for one in unanswered:  # by itself, so that only the one at fault fails
                self._answer([one])


def _segment(order: Order, drawn: Drawn, version: int) -> Segment:
    action, logprobs = drawn
    given = len(order.prefix)
    return Segment(
        token_ids=order.prefix + action,
        mask=(0,) * given + (1,) * len(action),
        logprobs=(0.0,) * given + logprobs,
        policy_version=version,
    )
