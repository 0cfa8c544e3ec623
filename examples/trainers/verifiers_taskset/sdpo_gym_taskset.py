"""The taskset that verifiers and prime-rl find as `sdpo-gym-taskset`."""

from sdpo_gym.integrations.verifiers import EnvironmentTaskset, EpisodeEnv

__all__ = ["EnvironmentTaskset", "EpisodeEnv"]
