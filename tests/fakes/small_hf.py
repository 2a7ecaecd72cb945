"""Small Hugging Face folders with random weights: what a downloaded model looks like, made here.

Three families of architecture, each with a chat template in its own manner of writing tools, calls
and answers.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    AutoModelForCausalLM,
    GenerationConfig,
    GptOssConfig,
    LlamaConfig,
    PreTrainedTokenizerFast,
    Qwen3Config,
)

QWEN = """\
{%- if tools %}
{{- '<|im_start|>system\\n' }}
{%- if messages[0].role == 'system' %}{{- messages[0].content + '\\n\\n' }}{%- endif %}
{{- 'Tools:\\n' }}
{%- for tool in tools %}{{- tool | tojson + '\\n' }}{%- endfor %}
{{- '<|im_end|>\\n' }}
{%- elif messages[0].role == 'system' %}
{{- '<|im_start|>system\\n' + messages[0].content + '<|im_end|>\\n' }}
{%- endif %}
{%- for message in messages %}
{%- if message.role == 'user' %}
{{- '<|im_start|>user\\n' + message.content + '<|im_end|>\\n' }}
{%- elif message.role == 'assistant' %}
{{- '<|im_start|>assistant\\n' + (message.content or '') }}
{%- for call in message.tool_calls or [] %}
{%- if not loop.first or message.content %}{{- '\\n' }}{%- endif %}
{{- '<tool_call>\\n{"name": "' + call.function.name + '", "arguments": ' }}
{{- call.function.arguments | tojson + '}\\n</tool_call>' }}
{%- endfor %}
{{- '<|im_end|>\\n' }}
{%- elif message.role == 'tool' %}
{%- if loop.first or messages[loop.index0 - 1].role != 'tool' %}
{{- '<|im_start|>user' }}{%- endif %}
{{- '\\n<tool_response>\\n' + message.content + '\\n</tool_response>' }}
{%- if loop.last or messages[loop.index0 + 1].role != 'tool' %}{{- '<|im_end|>\\n' }}{%- endif %}
{%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}"""

LLAMA = """\
{%- macro head(role) %}
{{- '<|start_header_id|>' + role + '<|end_header_id|>\\n\\n' }}{%- endmacro %}
{{- '<|begin_of_text|>' }}
{%- if messages[0].role == 'system' %}
{{- head('system') + messages[0].content + '<|eot_id|>' }}{%- endif %}
{%- for message in messages %}
{%- if message.role == 'user' %}
{{- head('user') }}
{%- if tools and loop.index0 < 2 %}
{%- for tool in tools %}{{- tool | tojson + '\\n' }}{%- endfor %}{%- endif %}
{{- message.content + '<|eot_id|>' }}
{%- elif message.role == 'assistant' %}
{{- head('assistant') }}
{%- if message.tool_calls %}
{%- set call = message.tool_calls[0].function %}
{{- '{"name": "' + call.name + '", "parameters": ' + call.arguments | tojson + '}' }}
{%- else %}{{- message.content }}{%- endif %}
{{- '<|eot_id|>' }}
{%- elif message.role == 'tool' %}
{{- head('ipython') + message.content | tojson + '<|eot_id|>' }}
{%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- head('assistant') }}{%- endif %}"""

HARMONY = """\
{%- set ns = namespace(called='') %}
{{- '<|start|>system<|message|>Valid channels: analysis, commentary, final.<|end|>' }}
{%- if tools or messages[0].role == 'system' %}
{{- '<|start|>developer<|message|>' }}
{%- if messages[0].role == 'system' %}{{- messages[0].content }}{%- endif %}
{%- for tool in tools or [] %}{{- '\\n' + tool | tojson }}{%- endfor %}
{{- '<|end|>' }}{%- endif %}
{%- for message in messages %}
{%- if message.role == 'user' %}
{{- '<|start|>user<|message|>' + message.content + '<|end|>' }}
{%- elif message.role == 'assistant' and message.tool_calls %}
{%- set call = message.tool_calls[0].function %}{%- set ns.called = call.name %}
{%- if message.content %}
{{- '<|start|>assistant<|channel|>analysis<|message|>' + message.content + '<|end|>' }}{%- endif %}
{{- '<|start|>assistant to=functions.' + call.name + '<|channel|>commentary json<|message|>' }}
{{- call.arguments | tojson + '<|call|>' }}
{%- elif message.role == 'assistant' %}
{{- '<|start|>assistant<|channel|>final<|message|>' + message.content }}
{{- '<|return|>' if loop.last else '<|end|>' }}
{%- elif message.role == 'tool' %}
{{- '<|start|>functions.' + ns.called + ' to=assistant<|channel|>commentary<|message|>' }}
{{- message.content | tojson + '<|end|>' }}
{%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|start|>assistant' }}{%- endif %}"""

TEMPLATES = {"qwen": QWEN, "llama": LLAMA, "harmony": HARMONY}
MARKS = {
    "qwen": ("<|im_start|>", "<|im_end|>", "<tool_call>", "</tool_call>"),
    "llama": ("<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"),
    "harmony": ("<|start|>", "<|end|>", "<|message|>", "<|channel|>", "<|call|>", "<|return|>"),
}
ENDS = {"qwen": ("<|im_end|>",), "llama": ("<|eot_id|>",), "harmony": ("<|return|>", "<|call|>")}


def tokenizer(family: str, texts: Iterable[str], size: int = 600) -> PreTrainedTokenizerFast:
    """Byte-level BPE learnt from the texts, with the family's special tokens and template."""
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=["<pad>", *MARKS[family]],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator(texts, trainer)
    made = PreTrainedTokenizerFast(
        tokenizer_object=bpe, eos_token=ENDS[family][0], pad_token="<pad>"
    )
    made.chat_template = TEMPLATES[family]
    return made


def config(family: str, vocabulary: int, width: int = 48, layers: int = 2, **more: Any) -> Any:
    sizes: dict[str, Any] = {
        "vocab_size": vocabulary,
        "hidden_size": width,
        "intermediate_size": 2 * width,
        "num_hidden_layers": layers,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": width // 4,
        "max_position_embeddings": 4096,
        "pad_token_id": 0,
        "bos_token_id": None,
        "eos_token_id": None,
        **more,
    }
    if family == "llama":
        return LlamaConfig(**sizes)
    if family == "harmony":
        experts = {"num_local_experts": 4, "num_experts_per_tok": 2, "sliding_window": 24}
        return GptOssConfig(**(sizes | experts))
    return Qwen3Config(tie_word_embeddings=True, **sizes)


def write(
    folder: Path, family: str, texts: Iterable[str], seed: int = 0, width: int = 48, layers: int = 2
) -> Path:
    """A folder that `transformers` loads, with random weights."""
    words = tokenizer(family, texts)
    torch.manual_seed(seed)
    net: Any = AutoModelForCausalLM.from_config(config(family, len(words), width, layers))
    ends = [words.convert_tokens_to_ids(end) for end in ENDS[family]]
    net.generation_config = GenerationConfig(eos_token_id=ends, pad_token_id=0)
    net.save_pretrained(folder)
    words.save_pretrained(folder)
    return folder
