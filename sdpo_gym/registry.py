"""The table of environments. Entry points are strings, so that nothing is imported before it is made."""

from __future__ import annotations

import gymnasium

ENVIRONMENTS = {
    "sdpo/Chemistry-v0": {
        "entry_point": "envs.chemistry.env:ChemistryEnv",
        "vector_entry_point": "envs.chemistry.env:ChemistryVectorEnv",
    },
    "sdpo/LiveCodeBench-v0": {
        "entry_point": "envs.livecodebench.env:LiveCodeBenchEnv",
        "vector_entry_point": "envs.livecodebench.env:LiveCodeBenchVectorEnv",
    },
    "sdpo/SciKnowEval-v0": {
        "entry_point": "envs.sciknoweval.env:SciKnowEvalEnv",
        "vector_entry_point": "envs.sciknoweval.env:SciKnowEvalVectorEnv",
    },
    "sdpo/ToolUse-v0": {
        "entry_point": "envs.tool_use.env:ToolUseEnv",
        "vector_entry_point": "envs.tool_use.env:ToolUseVectorEnv",
    },
}

ADAPTERS = {
    "sdpo/Remote-v0": {"entry_point": "sdpo_gym.serving.client:RemoteEnv"},
    "sdpo/ReasoningGym-v0": {"entry_point": "sdpo_gym.integrations.reasoning_gym:ReasoningGymEnv"},
    "sdpo/Gem-v0": {"entry_point": "sdpo_gym.integrations.gem:GemEnv"},
    "sdpo/TextArena-v0": {"entry_point": "sdpo_gym.integrations.textarena:TextArenaEnv"},
}
"""Environments that are somewhere else, on a server or in another package. They need an extra."""

EXTRAS = {
    "sdpo/Chemistry-v0": "chem",
    "sdpo/Remote-v0": "serve",
    "sdpo/ReasoningGym-v0": "reasoning-gym",
    "sdpo/Gem-v0": "gem",
    "sdpo/TextArena-v0": "textarena",
}
"""What to install for an environment, as `pip install 'sdpo-gym[EXTRA]'`."""


def register_environments() -> None:
    """Register every environment of this project with Gymnasium, once."""
    for env_id, entry_points in (ENVIRONMENTS | ADAPTERS).items():
        if env_id not in gymnasium.registry:
            gymnasium.register(id=env_id, **entry_points)
