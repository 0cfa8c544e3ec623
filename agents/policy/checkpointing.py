"""Gradient checkpointing: layers keep their inputs only, and compute the rest again for the backward pass."""

from __future__ import annotations

import functools
from collections.abc import Callable

import torch
from torch.utils.checkpoint import checkpoint
from transformers.modeling_layers import GradientCheckpointingLayer

from agents.errors import UsageError


def checkpoint_layers(model: torch.nn.Module) -> None:
    """Recompute the model's layers from now on, wherever gradients are wanted and no cache is filled.

    transformers' own switch works in training mode only, which would bring dropout with it.

    Raises:
        UsageError: the model has no layers that are made for it.
    """
    layers = layers_of(model)
    if not layers:
        raise UsageError(
            f"{type(model).__name__} does not support gradient checkpointing; leave out --gradient-checkpointing"
        )
    for layer in layers:
        layer.forward = functools.partial(_recomputed, layer.forward)


def layers_of(model: torch.nn.Module) -> list[torch.nn.Module]:
    """The layers that a model is mostly made of, outer ones before inner ones."""
    return [module for module in model.modules() if isinstance(module, GradientCheckpointingLayer)]


def _recomputed(forward: Callable[..., torch.Tensor], *args, **kwargs) -> torch.Tensor:
    if torch.is_grad_enabled() and kwargs.get("past_key_values") is None:
        return checkpoint(forward, *args, use_reentrant=False, **kwargs)
    return forward(*args, **kwargs)
