"""Games of the package GEM (gem-llm) as environments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import gymnasium

from sdpo_gym.extras import needs, needs_word_lists
from sdpo_gym.integrations.global_random import GlobalRandom
from sdpo_gym.spaces import UnicodeText

SAFE = "game:"
"""Ids of environments that only read responses. The others run programs or evaluate expressions."""


class GemEnv(gymnasium.Env[str, str]):
    """
    ## Description
    An environment of GEM (extra `[gem]`), such as the games Guess The Number, Mastermind, Minesweeper or Sudoku.
    Hangman, Wordle and Word Search need a word list (`python -m nltk.downloader words`), Crosswords needs pandas.

    ## Action Space
    A text (`UnicodeText`): the response. The prompt says how a move is written.

    ## Observation Space
    A text (`UnicodeText`): at the start the rules, later what the game says to the move. It is empty where GEM says
    only that the episode is over.

    ## Rewards
    GEM's. `info["success"]` says whether the last one was 1.0.

    ## Starting State
    Decided by the seed. GEM draws from the global random numbers; here, every environment has its own.

    ## Episode End
    GEM's. Where it says both terminated and truncated, this says terminated.

    ## Arguments
    ```python
    gymnasium.make("sdpo/Gem-v0", game="game:GuessTheNumber-v0-easy", config=None, allow_unsafe=False, render_mode=None)
    ```

    * `game`: An id of GEM's.
    * `config`: Keyword arguments of `gem.make`.
    * `allow_unsafe`: Environments whose id does not begin with `game:` are refused unless this is true, as they may run
      what a model wrote as a program, in this process or without a sandbox.

    ## Version History
    * v0: first version, with gem-llm 0.1.0.

    Raises:
        ImportError: gem-llm is not installed.
        LookupError: the game needs a word list that NLTK does not have.
        ValueError: GEM has no such environment, it needs a package that is missing, or it may run responses as
            programs.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": []}

    def __init__(
        self,
        game: str = "game:GuessTheNumber-v0-easy",
        *,
        config: Mapping[str, Any] | None = None,
        allow_unsafe: bool = False,
        render_mode: str | None = None,
    ):
        with needs("sdpo-gym[gem]"):
            import gem
            from gem.utils.constants import TERMINAL_STATE

        if render_mode is not None:
            raise ValueError(f"render_mode must be None, not {render_mode!r}")
        if not game.startswith(SAFE) and not allow_unsafe:
            raise ValueError(
                f"{game!r} may run what a model wrote as a program, without a sandbox. Choose a {SAFE}… environment, "
                "or allow_unsafe=True where you trust the responses"
            )
        self.render_mode = None
        self.action_space = self.observation_space = UnicodeText()
        self._random = GlobalRandom()
        self._nothing_said = TERMINAL_STATE
        with needs_word_lists(), self._random.lent():
            self._game = gem.make(game, **(config or {}))

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        super().reset(seed=seed)
        game_seed = int(self.np_random.integers(1 << 31))
        self._random.seed(game_seed)
        with self._random.lent():
            observation, info = self._game.reset(seed=game_seed)
        return observation, dict(info)

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        with self._random.lent():
            observation, reward, terminated, truncated, info = self._game.step(action)
        terminated, truncated = bool(terminated), bool(truncated and not terminated)
        if observation == self._nothing_said:
            observation = ""
        elif not (terminated or truncated) and info.get("suffix"):
            observation = f"{observation}\n{info['suffix']}"
        success = terminated and reward >= 1.0
        return observation, float(reward), terminated, truncated, {**info, "success": success}
