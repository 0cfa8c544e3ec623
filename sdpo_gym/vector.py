"""N text episodes at once, judged together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from gymnasium.error import ResetNeeded
from gymnasium.utils import seeding
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from sdpo_gym.text_env import TextEnv, TextEpisode, copy_options


class TextVectorEnv(VectorEnv):
    """`num_envs` episodes of one text environment, with results equal to as many single environments.

    Responses of one step are judged in one call, concurrently where the verifier can. The tasks and the verifier are
    held once.

    A finished episode stays finished until it is reset (`AutoresetMode.DISABLED`): other modes would spend a response
    on a reset, or replace the last feedback. Reset some of the episodes with `options={"reset_mask": bool array}`.
    While some are finished and others go on, give None as the action of the finished ones: their observation is then
    "", their reward 0.0, and `info` has no entry for them. Gymnasium's `RecordEpisodeStatistics` counts each such step
    as an episode of length 0: with it, reset every finished episode by `reset_mask` at once.

    `reset` also takes `options={"task": [N indexes or ids]}` (Gymnasium's own vector environments send one option to
    all), and as seed an int (episode i gets seed + i) or a list of N.

    Each entry of `info` is an array of N, with a mask `_key` that says which episodes it holds something of; `metadata`
    and `metrics` are dicts of such arrays. Arrays of metadata hold objects, each as its task has it.

    Subclasses name the environment: `env_type`. Other keyword arguments are the environment's.

    Args:
        num_envs: How many episodes.
        max_episode_steps: An episode is truncated after so many steps, and is then finished, as with Gymnasium's
            `TimeLimit`. `gymnasium.make_vec` gives the registered limit. None or -1: no limit.

    Raises:
        ValueError: `num_envs` or `max_episode_steps` is out of range.
    """

    env_type: ClassVar[type[TextEnv]]

    metadata: ClassVar[dict[str, Any]] = TextEnv.metadata | {"autoreset_mode": AutoresetMode.DISABLED}

    _env: TextEnv | None = None  # which `close` asks for even if the constructor failed

    def __init__(self, num_envs: int = 1, *, max_episode_steps: int | None = None, **env_kwargs: Any):
        if num_envs < 1:
            raise ValueError(f"num_envs must be at least 1, not {num_envs}")
        self.num_envs = num_envs
        self._max_steps = _step_limit(max_episode_steps)
        self._env = self.env_type(**env_kwargs)
        self.render_mode = self._env.render_mode
        self.single_observation_space = self._env.observation_space
        self.single_action_space = self._env.action_space
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._rngs: list[np.random.Generator | None] = [None] * num_envs
        self._episodes: list[TextEpisode | None] = [None] * num_envs
        self._observations = [""] * num_envs

    @property
    def num_tasks(self) -> int | None:
        """How many tasks there are; `options={"task": […]}` takes 0 … num_tasks − 1. None: they are endless."""
        return self._env.num_tasks

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[tuple[str, ...], dict[str, Any]]:
        options = copy_options(options)
        mask = self._mask(options.pop("reset_mask", None))
        choices = self._per_env("options['task']", options.pop("task", [None] * self.num_envs))
        if seed is None:
            seed = [None] * self.num_envs
        elif isinstance(seed, (int, np.integer)):
            seed = [int(seed) + i for i in range(self.num_envs)]
        seeds = self._per_env("seed", seed)

        # All are made before any takes its place, as one of the tasks may be unknown.
        episodes: dict[int, TextEpisode] = {}
        for i in np.flatnonzero(mask):
            if seeds[i] is not None or self._rngs[i] is None:
                self._rngs[i], _ = seeding.np_random(seeds[i])
            task_options = options if choices[i] is None else options | {"task": choices[i]}
            episodes[i] = self._env.begin(self._rngs[i], task_options)
        infos: dict[str, Any] = {}
        for i, episode in episodes.items():
            self._episodes[i] = episode
            self._observations[i] = episode.task.prompt
            infos = self._with(infos, episode.info(), i)
        return tuple(self._observations), infos

    def step(
        self, actions: Sequence[str | None]
    ) -> tuple[tuple[str, ...], np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        actions = self._per_env("actions", actions)
        if None in self._episodes:
            raise ResetNeeded("call reset() before step(): no episode has begun")
        responses = {}
        for i, (episode, action) in enumerate(zip(self._episodes, actions, strict=True)):
            if not self._is_over(episode):
                responses[i] = self._env.check_action(episode, action)
            elif action is not None:
                raise ResetNeeded(
                    f"episode {i} is over: give None as its action, or begin its next one with "
                    "reset(options={'reset_mask': …})"
                )

        verdicts = self._env.judge([self._episodes[i].task for i in responses], list(responses.values()))

        self._observations = [""] * self.num_envs
        rewards = np.zeros(self.num_envs)
        infos: dict[str, Any] = {}
        for (i, response), verdict in zip(responses.items(), verdicts, strict=True):
            self._observations[i], rewards[i], _, _, info = self._episodes[i].advance(response, verdict)
            infos = self._with(infos, info, i)
        terminations = np.array([episode.done for episode in self._episodes])
        truncations = np.array([self._is_cut(episode) for episode in self._episodes])
        return tuple(self._observations), rewards, terminations, truncations, infos

    def render(self) -> tuple[str, ...] | None:
        """The chats of all episodes as texts; None without a render mode."""
        if self.render_mode is None:
            return None
        if None in self._episodes:
            raise ResetNeeded("call reset() before render(): no episode has begun")
        return tuple(episode.text for episode in self._episodes)

    def close_extras(self) -> None:
        if self._env is not None:
            self._env.close()

    def _is_cut(self, episode: TextEpisode) -> bool:
        return self._max_steps is not None and episode.turn >= self._max_steps

    def _is_over(self, episode: TextEpisode) -> bool:
        return episode.done or self._is_cut(episode)

    def _with(self, infos: dict[str, Any], info: dict[str, Any], i: int) -> dict[str, Any]:
        """`infos` with what episode i says."""
        infos = self._add_info(infos, info | {"metadata": {}}, i)
        # Gymnasium would convert the values to the type of the first episode's.
        arrays = infos["metadata"]
        for key, value in info["metadata"].items():
            arrays.setdefault(key, np.full(self.num_envs, None, dtype=object))[i] = value
            arrays.setdefault(f"_{key}", np.zeros(self.num_envs, dtype=bool))[i] = True
        return infos

    def _mask(self, mask: Any) -> np.ndarray:
        if mask is None:
            return np.ones(self.num_envs, dtype=bool)
        mask = np.asarray(mask)
        if mask.shape != (self.num_envs,) or mask.dtype != bool or not mask.any():
            raise ValueError(
                f"options['reset_mask'] must be {self.num_envs} booleans of which one or more are True, not {mask!r}"
            )
        return mask

    def _per_env(self, name: str, values: Any) -> list[Any]:
        if isinstance(values, str) or not hasattr(values, "__len__") or len(values) != self.num_envs:
            raise ValueError(f"{name} must be a list of {self.num_envs}, one per episode, not {values!r:.100}")
        return list(values)


def _step_limit(max_episode_steps: Any) -> int | None:
    if max_episode_steps in (None, -1):
        return None
    if isinstance(max_episode_steps, bool) or not isinstance(max_episode_steps, int) or max_episode_steps < 1:
        raise ValueError(
            "max_episode_steps must be a whole number of at least 1, or None or -1 for no limit, "
            f"not {max_episode_steps!r:.100}"
        )
    return max_episode_steps
