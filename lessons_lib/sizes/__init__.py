"""How large a model is, by arithmetic alone: its parameters, the work of a step, the memory it takes."""

from lessons_lib.sizes.flops import forward_flops, generation_flops, rule_of_thumb_flops, training_flops
from lessons_lib.sizes.memory import Memory, cache_memory, inference_memory, training_memory
from lessons_lib.sizes.parameters import count_parameters, non_embedding_parameters, parameters, table
from lessons_lib.sizes.presets import Preset, presets

__all__ = [
    "Memory",
    "Preset",
    "cache_memory",
    "count_parameters",
    "forward_flops",
    "generation_flops",
    "inference_memory",
    "non_embedding_parameters",
    "parameters",
    "presets",
    "rule_of_thumb_flops",
    "table",
    "training_flops",
    "training_memory",
]
