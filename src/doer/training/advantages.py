"""From grades to rewards to advantages, a group (repeats of one task) at a time. Plain numbers."""

from collections.abc import Sequence
from statistics import fmean, pstdev


def rewards(passed_G: Sequence[bool], steps_G: Sequence[int], efficiency: float) -> list[float]:
    """1 for a success, 0 for a failure; with `efficiency` > 0 a success that took fewer steps than
    its group's mean success earns up to that much more, a longer one that much less.

    Only successes are touched, so that being quick never pays more than being right
    (success-gated and group-relative, after ToolCUA, arXiv 2605.12481).
    """
    successes = [steps for steps, passed in zip(steps_G, passed_G, strict=True) if passed]
    if not successes:
        return [0.0] * len(passed_G)
    mean = max(1.0, fmean(successes))
    return [
        1.0 + efficiency * max(-1.0, min(1.0, (mean - steps) / mean)) if passed else 0.0
        for steps, passed in zip(steps_G, passed_G, strict=True)
    ]


def group_advantages(rewards_G: Sequence[float], softening: float = 0.05) -> list[float]:
    """(reward - mean) / (standard deviation + softening) over the group; all zero when the group
    agrees. Source: GRPO, arXiv 2402.03300; `softening` bounds the weight of a lone outlier."""
    mean, deviation = fmean(rewards_G), pstdev(rewards_G)
    if deviation == 0.0:
        return [0.0] * len(rewards_G)
    return [(reward - mean) / (deviation + softening) for reward in rewards_G]
