"""How to fine-tune a large model by a small adapter."""

import msgspec


class Lora(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """LoRA on all linear layers (arXiv 2106.09685): the change of each is a product of two matrices
    of this `rank`, times `alpha` / `rank`. Learning rates are about ten times those of full
    fine-tuning."""

    rank: int = 16
    alpha: int = 32
