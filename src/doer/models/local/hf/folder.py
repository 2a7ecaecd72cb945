"""A model's folder as Hugging Face libraries write it: config.json, safetensors, tokenizer.json and
a chat template; with LoRA, peft's adapter beside the tokenizer, and the base where it was."""

# transformers and peft leave these out of their annotations.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

import copy
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerBase
from transformers.utils import logging

from doer.errors import ConfigError
from doer.models.local.lora import Lora

_ADAPTER = "adapter_config.json"


@dataclass(frozen=True)
class Weights:
    """A net with its tokenizer. With LoRA, `adapted` is the net as peft wraps it."""

    net: Any
    tokenizer: PreTrainedTokenizerBase
    adapted: PeftModel | None = None

    @property
    def dtype(self) -> torch.dtype:
        """What the layers compute with."""
        return torch.bfloat16 if self.net.device.type == "cuda" else self.net.dtype

    @property
    def ends(self) -> frozenset[int]:
        """The tokens that end an answer."""
        ends: Any = self.net.generation_config.eos_token_id
        listed = [] if ends is None else [ends] if isinstance(ends, int) else list(ends)
        own = self.tokenizer.eos_token_id
        return frozenset([*listed, *([own] if isinstance(own, int) else [])])

    @property
    def context(self) -> int:
        """The most tokens the model was made to read."""
        return int(self.net.config.get_text_config().max_position_embeddings)

    def save(self, folder: Path) -> None:
        """As it is: with LoRA the adapter only, which names its base."""
        (self.adapted or self.net).save_pretrained(str(folder))
        self.tokenizer.save_pretrained(folder)

    def save_merged(self, folder: Path) -> None:
        """As one plain model, LoRA worked into its weights; its adapter goes to `adapter`."""
        if self.adapted is None:
            self.save(folder)
            return
        merged: Any = copy.deepcopy(self.adapted).merge_and_unload()
        merged.save_pretrained(folder)
        self.tokenizer.save_pretrained(folder)
        self.adapted.save_pretrained(str(folder / "adapter"))

    def sampling(self) -> Any:
        """A net to sample from: trained weights copied, the others shared."""
        shared = {id(p): p for p in self.net.parameters() if not p.requires_grad}
        net = copy.deepcopy(self.net, shared).to(self.dtype)
        return net.requires_grad_(False).eval()


def read(folder: Path, lora: Lora | None = None, trained: bool = False, seed: int = 0) -> Weights:
    """Weights to be asked, or to be `trained`: all of them, or a new adapter of LoRA, which `seed`
    makes. Raises
    `ConfigError` when the folder holds no model that can be read."""
    logging.disable_progress_bar()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    frozen = lora is not None or (folder / _ADAPTER).exists() or not trained
    dtype = torch.bfloat16 if device == "cuda" and frozen else torch.float32
    try:
        tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        base = _base(folder)
        net: Any = AutoModelForCausalLM.from_pretrained(base, dtype=dtype, local_files_only=True)
    except (OSError, ValueError, KeyError) as wrong:
        raise ConfigError(f"{folder} holds no model that can be read: {wrong}") from wrong
    net = net.to(device).eval()  # no dropout in training: log-probabilities must agree
    if base == folder and lora is None:
        return Weights(net.requires_grad_(trained), tokenizer)
    adapted = _adapted(net, lora, folder, trained, seed)
    return Weights(adapted.get_base_model(), tokenizer, adapted)


def _adapted(net: Any, lora: Lora | None, folder: Path, trained: bool, seed: int) -> Any:
    """The net with a new adapter, or with the one in the folder."""
    with warnings.catch_warnings(), torch.random.fork_rng():
        torch.manual_seed(seed)
        # peft 0.21 asks transformers 5.23 for a property by its old name.
        warnings.simplefilter("ignore", FutureWarning)
        if lora is None:
            return PeftModel.from_pretrained(net, str(folder), is_trainable=trained)
        config = LoraConfig(
            r=lora.rank, lora_alpha=lora.alpha, target_modules="all-linear", task_type="CAUSAL_LM"
        )
        return get_peft_model(net, config)


class _Adapter(msgspec.Struct):
    base_model_name_or_path: str


def _base(folder: Path) -> Path:
    """Where the weights are: the folder itself, or what its adapter says. Raises ValueError."""
    if not (folder / _ADAPTER).exists():
        return folder
    adapter = msgspec.json.decode((folder / _ADAPTER).read_bytes(), type=_Adapter)
    return Path(adapter.base_model_name_or_path)
